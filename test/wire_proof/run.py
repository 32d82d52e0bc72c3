#!/usr/bin/env python3
"""Proves that our messages are Apache Kafka's to the byte, both ways, with Kafka's own classes.

    run.py [--build DIR] [--seed N] [--rounds N]

Random values of every message and version, made by Kafka's Java classes, are decoded and encoded by ours, and the other
way round; the bytes must be the same. Prints what failed, what was skipped by name, and "N passed, N failed".
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KAFKA = "4.3.0"


def libraries() -> Path:
    """Kafka's jars, fetched once."""
    cache = Path(os.environ.get("BARNABAS_CACHE") or Path.home() / ".cache" / "barnabas")
    folder = cache / f"kafka-{KAFKA}" / "libs"
    if not (folder / f"kafka_2.13-{KAFKA}.jar").exists():
        print(f"fetching Apache Kafka {KAFKA} with Maven into {folder}", flush=True)
        subprocess.run(["mvn", "-q", "-B", "-f", HERE / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={folder}"],
                       check=True)
    return folder


def run(command: list, text: str = "") -> list[str]:
    done = subprocess.run([str(word) for word in command], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stderr[-4000:]}")
    return done.stdout.splitlines()


class Tally:
    def __init__(self):
        self.passed = 0
        self.failures: list[str] = []
        self.skipped: set[str] = set()

    def sort_out(self, lines: list[str]) -> list[str]:
        """Takes what is for the tally; the rest are messages."""
        rest = []
        for line in lines:
            word, _, tail = line.partition(" ")
            if word == "passed":
                self.passed += int(tail)
            elif word == "fail":
                self.failures.append(tail)
            elif word == "skip":
                self.skipped.add(tail.removeprefix("framed/"))
            else:
                rest.append(line)
        return rest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parent.parent / "build" / "release", help="the CMake build directory")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rounds", default="20")
    arguments = parser.parse_args()
    ours = [arguments.build / "bin" / "wire_proof_messages"]
    java = ["java", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{libraries()}/*", HERE / "WireProof.java"]
    random = [arguments.seed, arguments.rounds]

    tally = Tally()
    names = "\n".join(run(ours + ["list"])) + "\n"
    theirs = tally.sort_out(run(java + ["make", *random], names))
    tally.sort_out(run(ours + ["check"], "\n".join(theirs) + "\n"))
    tally.sort_out(run(java + ["check"], "\n".join(run(ours + ["make", *random])) + "\n"))

    for failure in tally.failures[:20]:
        print("FAIL", failure[:600])
    for name in sorted(tally.skipped):
        what, _, version = name.partition(" ")
        print(f"skipped: {what}" + (f" version {version}" if version != "*" else "") + f" is not in Kafka {KAFKA}")
    print(f"{tally.passed} passed, {len(tally.failures)} failed, {len(tally.skipped)} skipped")
    return 1 if tally.failures or tally.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

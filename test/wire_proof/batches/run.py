#!/usr/bin/env python3
"""Proves that our record batches are Apache Kafka's, and that we answer damaged ones as its log does.

    run.py [--build DIR] [--seed N] [--batches N] [--requests N]

Kafka's classes write random batches (every codec, timestamp type, transactional, control, gaps, delete horizon): ours
reads the same out of them, and makes the uncompressed ones again to the byte. Ours writes each of them with every codec
and a row of levels: Kafka reads the same out of them. Random Produce requests, most of them damaged, go to Kafka's log
under ten topic configurations: ours answers the same and would store the same. Prints "N passed, N failed".
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

# Of damaged compressed data Kafka may meet another fault first than we do, or overlook it (reserved bits of gzip, a
# record's length that its fields do not fill): of these requests we only want a refusal or the same batch.
GARBLED = " garbled"
# Where a compressed record runs over the end of the data, Kafka's answer depends on which of its fields does.
OVERRUNS = {"87 []", "-1 []"}
# In Kafka's text, a header key that was not UTF-8.
REPLACEMENT = "efbfbd"


def libraries() -> Path:
    spec = importlib.util.spec_from_file_location("messages_proof", HERE.parent / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.libraries()


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, what: str, ours: str, theirs: str) -> None:
        if ours == theirs:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= 10:
            print(f"FAIL {what}\n  ours  {ours[:600]}\n  Kafka {theirs[:600]}")

    def count(self, what: str, got: int, wanted: int) -> None:
        self.check(what, f"{got} lines", f"{wanted} lines")


def with_codec(line: str, codec: str) -> str:
    header, bar, records = line.partition("|")
    return header.rsplit(" ", 1)[0] + " " + codec + bar + records


def prove_batches(tally: Tally, java: list, tool: Path, folder: Path, seed: str, count: str) -> None:
    batches, text, again = folder / "batches", folder / "text", folder / "again"
    subprocess.run(java + ["write", seed, count, batches, text], check=True)
    theirs = text.read_text().splitlines()
    ours = lines_of([tool, "read", batches])
    tally.count("batches read", len(ours), len(theirs))
    for i, (our, their) in enumerate(zip(ours, theirs)):
        tally.check(f"batch {i} read", our, their)
    for i, line in enumerate(lines_of([tool, "again", batches])):
        if line != "compressed":
            tally.check(f"batch {i} made again", line, "same")

    codecs = lines_of([tool, "compress", batches, again])
    subprocess.run(java + ["read", again, text], check=True)
    read_by_kafka = text.read_text().splitlines()
    tally.count("batches of ours", len(read_by_kafka), len(codecs))
    per_batch = len(codecs) // len(theirs)
    for i, (codec, line) in enumerate(zip(codecs, read_by_kafka)):
        tally.check(f"batch {i // per_batch} with {codec}", with_codec(theirs[i // per_batch], codec), line)


def prove_answers(tally: Tally, java: list, tool: Path, folder: Path, seed: str, count: str) -> None:
    cases, answers = folder / "cases", folder / "answers"
    subprocess.run(java + ["judge", seed, count, cases, answers], check=True)
    theirs = answers.read_text().splitlines()
    ours = lines_of([tool, "judge", cases])
    tally.count("answers", len(ours), len(theirs))
    for case, our, their in zip(cases.read_text().splitlines(), ours, theirs):
        overlooked = case.endswith(GARBLED) and not our.startswith("0 ")
        if overlooked or {our, their} == OVERRUNS or (our != their and REPLACEMENT in their):
            continue
        tally.check(f"request {case[:400]}", our, their)


def lines_of(command: list) -> list[str]:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parents[2] / "build" / "release")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--batches", default="150")
    parser.add_argument("--requests", default="4000")
    arguments = parser.parse_args()
    tool = arguments.build / "bin" / "wire_proof_batches"
    if not tool.exists():
        sys.exit(f"{tool} is missing: ninja -C {arguments.build} wire_proof_batches")
    jars = f"{libraries()}/*"
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="batch-proof-") as name:
        folder = Path(name)
        subprocess.run(["javac", "-proc:none", "-cp", jars, "-d", folder / "classes", HERE / "BatchProof.java"], check=True)
        # The class path's order is Java's; a log of SLF4J's on standard error is not ours.
        java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{folder / 'classes'}:{jars}",
                "BatchProof"]
        prove_batches(tally, java, tool, folder, arguments.seed, arguments.batches)
        prove_answers(tally, java, tool, folder, arguments.seed, arguments.requests)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())

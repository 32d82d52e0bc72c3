#!/usr/bin/env python3
"""Proves that our assignors decide as Apache Kafka's do, so that it does not matter whose member leads a group.

    run.py [--build DIR] [--seed N] [--rounds N]

Kafka's Java classes assign the partitions of random groups through some rebalances each; ours must give every member the
same. The subscriptions go the same way as between members: encoded by Java, decoded and encoded again by ours.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KAFKA = "4.3.0"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=HERE.parent.parent / "build" / "release", help="the CMake build directory")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rounds", default="200")
    arguments = parser.parse_args()
    cache = Path(os.environ.get("BARNABAS_CACHE") or Path.home() / ".cache" / "barnabas")
    libs = cache / f"kafka-{KAFKA}" / "libs"
    if not (libs / f"kafka-clients-{KAFKA}.jar").exists():
        sys.exit(f"no Kafka jars in {libs}; test/wire_proof/run.py fetches them")
    java = subprocess.run(["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=OFF", "-cp",
                           f"{libs}/*", HERE / "AssignorProof.java", arguments.seed, arguments.rounds],
                          capture_output=True, text=True)
    if java.returncode != 0:
        sys.exit(java.stderr[-4000:])
    ours = subprocess.run([arguments.build / "bin" / "assignor_proof"], input=java.stdout, capture_output=True, text=True)
    lines = ours.stdout.splitlines()
    print("\n".join(lines[:60]) if ours.returncode else "", end="\n" if ours.returncode else "")
    tally = dict(line.split() for line in lines if line.startswith(("passed ", "failed ")) and len(line.split()) == 2)
    print(f"{tally.get('passed', 0)} passed, {tally.get('failed', 'all')} failed")
    return 0 if ours.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs the interop tests: python3 test/interop/run.py [--target kafka|barnabas|both] [--only NAME] [--quick] [--prepare] [pytest arguments].

The target is Barnabas unless said otherwise; the crossing tests start a real Kafka in any case. pytest lives in a virtual
environment of its own under ~/.cache/barnabas; whatever clients need is fetched there once.
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from rig import cache  # noqa: E402

PYTEST = "pytest==9.2.0"


def python_with_pytest() -> Path:
    def build(directory: Path):
        # A virtual environment must not be renamed after it is made, so it is made at its final place.
        venv.create(cache.ROOT / "interop-venv", with_pip=True, clear=True)
        cache.run([cache.ROOT / "interop-venv/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", PYTEST])
    cache.prepared("interop-venv-ready-" + PYTEST.replace("==", "-"), build)
    return cache.ROOT / "interop-venv/bin/python"


def prepare() -> int:
    """Gets everything the tests need, with the interpreter that they will use: some clients are compiled."""
    return subprocess.call([str(python_with_pytest()), "-c", """
import sys, time
sys.path.insert(0, sys.argv[1])
from rig import cache, kafka
from rig.clients import CLIENTS
for name, ready in [("Apache Kafka", kafka.libs), *((c.name, c.ready) for c in CLIENTS)]:
    began = time.monotonic()
    try:
        ready()
        print(f"{name}: ready ({time.monotonic() - began:.0f} s)", flush=True)
    except cache.Unavailable as why:
        print(f"{name}: not available, its tests will be skipped: {why}", flush=True)
""", str(HERE)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", default="barnabas", choices=["kafka", "barnabas", "both"])
    parser.add_argument("--only", metavar="NAME", help="tests whose name, client or file has this in it")
    parser.add_argument("--quick", action="store_true", help="one codec per client, no restarts")
    parser.add_argument("--prepare", action="store_true", help="only fetch and compile what the tests need")
    options, more = parser.parse_known_args()
    if options.prepare:
        return prepare()
    argv = [python_with_pytest(), "-m", "pytest", "-q", "--no-header", "--tb=short", "-rN", f"--target={options.target}"]
    argv += [f"--rootdir={HERE}", "-c", HERE / "pytest.ini"]
    if options.only:
        argv += ["-k", options.only]
    if options.quick:
        argv += ["--quick"]
    argv += more
    if not any(Path(a.split("::")[0]).exists() for a in more if not a.startswith("-")):
        argv.append(HERE)
    return subprocess.call([str(a) for a in argv], env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())

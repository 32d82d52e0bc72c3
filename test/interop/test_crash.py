"""A short crash loop; the long one is `crash_loop.py --cycles 1000`."""

import subprocess
import sys
from pathlib import Path

import pytest

from rig.cache import Unavailable
from rig.clients import BY_NAME


@pytest.mark.slow
def test_kill_9_under_load_loses_nothing_and_repeats_nothing(target):
    try:
        BY_NAME["confluent-kafka"].ready()
    except Unavailable as why:
        pytest.skip(f"confluent-kafka: {why}")
    cycles = 15 if target == "barnabas" else 3
    done = subprocess.run([sys.executable, Path(__file__).with_name("crash_loop.py"), "--target", target, "--cycles", str(cycles)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400)
    assert done.returncode == 0, done.stdout

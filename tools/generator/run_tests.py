"""The generator's own tests, and that docs/protocol.md is what it would write; closes with 'N passed, N failed'."""

import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main():
    suite = unittest.defaultTestLoader.discover(str(HERE), pattern="*_test.py")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(suite)
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed
    docs = subprocess.run([sys.executable, "-B", str(HERE / "generate.py"), "--schema", str(ROOT / "schema"), "--docs",
                           str(ROOT / "docs" / "protocol.md"), "--check"])
    passed, failed = (passed + 1, failed) if docs.returncode == 0 else (passed, failed + 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

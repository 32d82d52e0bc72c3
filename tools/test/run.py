"""Runs the test suites of ./dev test and closes with one line of counts.

A suite is a command that ends with a line 'N passed, N failed[, N skipped]'; unit test programs (GoogleTest) are counted from
their JSON output. Anything that exits non-zero without counts is one failure. What was skipped is listed by name.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"
CLOSING = re.compile(r"^(?:\S+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


class Suite:
    def __init__(self, name, command, timeout=1800):
        self.name, self.command, self.timeout = name, command, timeout


def unit_programs():
    listed = ROOT / "build" / "release" / "tests.txt"
    return sorted(listed.read_text().split()) if listed.exists() else []


def script_suites():
    candidates = [
        ("tidy", "tools/tidy/tidy.py", []),
        ("generator", "tools/generator/run_tests.py", []),
        ("wire_proof", "test/wire_proof/run.py", []),
        ("batch_proof", "test/wire_proof/batches/run.py", []),
        ("assignor_proof", "test/assignor_proof/run.py", []),
        ("docs", "test/docs/run.py", []),
        ("commands", "test/cli/run.py", []),
        ("produce_consume", "test/cli/produce_consume.py", []),
        ("install", "test/install/run.py", []),
        ("shims", "test/shims/run.py", []),
        ("interop", "test/interop/run.py", []),
    ]
    return [
        Suite(name, [sys.executable, str(ROOT / path), *arguments])
        for name, path, arguments in candidates
        if (ROOT / path).exists()
    ]


def run_corpus(program):
    """A fuzz target over its committed corpus: one test."""
    corpus = ROOT / "fuzz" / "corpus" / program.removeprefix("fuzz_").removesuffix("_corpus")
    done = subprocess.run([str(BIN / program), str(corpus)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=900)
    return (0, 1, 0, done.stdout) if done.returncode else (1, 0, 0, done.stdout)


def run_unit(program):
    """One test program: (passed, failed, skipped, output)."""
    if program.startswith("fuzz_"):
        return run_corpus(program)
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        try:
            done = subprocess.run(
                [str(BIN / program), f"--gtest_output=json:{report}", "--gtest_brief=1"],
                cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=900)
            output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as expired:
            return 0, 1, 0, f"{program} did not end within {expired.timeout} s"
        if not report.exists():
            return (0, 1, 0, output) if code else (1, 0, 0, output)
        counts = json.loads(report.read_text())
        failed = counts["failures"] + counts.get("errors", 0)
        skipped = sum(1 for group in counts["testsuites"] for test in group["testsuite"] if test.get("result") == "SKIPPED")
        if code and not failed:
            failed = 1
        return counts["tests"] - counts["failures"] - counts.get("disabled", 0) - skipped, failed, skipped, output


def run_script(suite):
    try:
        process = subprocess.Popen(suite.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors="replace", start_new_session=True)
        output, _ = process.communicate(timeout=suite.timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        return 0, 1, 0, f"{suite.name} did not end within {suite.timeout} s"
    found = CLOSING.findall(output)
    if not found:
        return 0, 1, 0, output + f"\n{suite.name}: no closing line"
    passed, failed, skipped = (int(n or 0) for n in found[-1])
    if process.returncode and not failed:
        failed = 1
    return passed, failed, skipped, output


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="unit programs (base, wire, ...) or suites; all by default")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    programs, scripts = unit_programs(), script_suites()
    if options.list:
        print("\n".join([p.removesuffix("_test") for p in programs] + [s.name for s in scripts]))
        return 0
    if options.names:
        known = {p.removesuffix("_test") for p in programs} | {s.name for s in scripts} | {"unit"}
        unknown = [n for n in options.names if n not in known]
        if unknown:
            print(f"no test named {', '.join(unknown)}; there are: {', '.join(sorted(known))}", file=sys.stderr)
            return 2
        programs = [p for p in programs if p.removesuffix("_test") in options.names or "unit" in options.names]
        scripts = [s for s in scripts if s.name in options.names]

    totals = [0, 0, 0]

    def account(name, result, seconds):
        passed, failed, skipped, output = result
        for i, n in enumerate((passed, failed, skipped)):
            totals[i] += n
        if failed:
            print(output.rstrip())
        else:
            for line in output.splitlines():
                if line.lower().startswith("skipped"):
                    print(line)
        print(f"[{'FAILED' if failed else 'ok'}] {name}: {passed} passed, {failed} failed, {skipped} skipped ({seconds:.1f} s)",
              flush=True)

    def timed(function, argument):
        start = time.monotonic()
        return function(argument), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        running = {pool.submit(timed, run_unit, p): p for p in programs}
        for future in concurrent.futures.as_completed(running):
            account(running[future], *future.result())
    for suite in scripts:
        account(suite.name, *timed(run_script, suite))

    passed, failed, skipped = totals
    if passed + failed == 0:
        print("no test ran", file=sys.stderr)
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The client library as a program's author meets it: installed into a prefix, its headers alone, its examples built with the CMake
package and with pkg-config, and run against a broker; and docs/client.md, whose code must be that of the examples.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BARNABAS_BUILD", ROOT / "build" / "release")).resolve()
WORK = BUILD / "install_test"
PREFIX = WORK / "prefix"
COMPILER = os.environ.get("CXX", "clang++-19")
FLAGS = ["-std=c++23", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
# In the order in which they make sense: what one writes the next reads.
EXAMPLES = ["admin", "produce", "consume", "group_consume", "coroutine", "testing_broker"]
NEEDS_TRANSACTIONS = ["transaction"]  # built, not run: our broker has none yet


def run(command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=300, **options)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def install():
    shutil.rmtree(PREFIX, ignore_errors=True)
    run(["cmake", "--install", BUILD, "--component", "client", "--prefix", PREFIX])


def headers_compile_alone():
    headers = sorted((PREFIX / "include").rglob("*.h"))
    assert len(headers) > 8, f"only {len(headers)} headers were installed"

    alone = WORK / "headers"
    alone.mkdir(exist_ok=True)

    def compile_one(header):
        source = alone / f"{header.parent.name}_{header.stem}.cpp"
        source.write_text(f'#include "{header}"\n#include "{header}"\n', encoding="utf-8")
        run(["ccache", COMPILER, *FLAGS, f"-I{PREFIX}/include", "-c", source, "-o", source.with_suffix(".o")])

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, headers))


def examples_build_with_cmake():
    build = WORK / "examples"
    run(["cmake", "-S", ROOT / "examples", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={PREFIX}",
         f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache", f"-DCMAKE_CXX_FLAGS={' '.join(FLAGS[1:])}",
         "-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=mold"])
    run(["ninja", "-C", build])


def an_example_builds_with_pkg_config():
    library = next(PREFIX.rglob("barnabas.pc")).parent
    flags = run(["pkg-config", "--cflags", "--libs", "barnabas"], env={**os.environ, "PKG_CONFIG_PATH": str(library)})
    run([COMPILER, *FLAGS, "-fuse-ld=mold", ROOT / "examples" / "produce.cpp", "-o", WORK / "produce_pkg_config", *flags.split()])


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Broker:
    """The program itself, on a free port."""

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        self.address = f"127.0.0.1:{free_port()}"
        listeners = f"PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{free_port()}"
        overrides = [f"listeners={listeners}", f"log.dirs={self.directory.name}/data", "group.initial.rebalance.delay.ms=0"]
        self.log = open(f"{self.directory.name}/log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([BUILD / "bin" / "barnabas", "server", *(w for o in overrides for w in ("--override", o))],
                                        stdout=self.log, stderr=self.log)
        host, port = self.address.split(":")
        for _ in range(100):
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the broker did not start: " + pathlib.Path(self.log.name).read_text(encoding="utf-8"))

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
        self.directory.cleanup()


def examples_run():
    said = {}
    with Broker() as broker:
        for name in EXAMPLES:
            said[name] = run([WORK / "examples" / name, broker.address])
    for name, lines in {"produce": 10, "consume": 10}.items():
        assert len(said[name].splitlines()) == lines, f"{name} said {said[name]!r}"
    assert said["group_consume"].count("order ") == 10, said["group_consume"]
    assert "offset 4" in said["coroutine"], said["coroutine"]
    assert "created orders" in said["admin"], said["admin"]


BLOCK = re.compile(r"(?:<!-- from (\S+) -->\n)?```(\w+)\n(.*?)```", re.S)


def the_page_shows_the_examples():
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert len(blocks) > 5, "the page has no code"
    for source, language, code in blocks:
        assert source, f"a block of {language} names no example:\n{code}"
        example = (ROOT / source).read_text(encoding="utf-8")
        assert textwrap.dedent(code) in textwrap.dedent(example) or code in example, f"{source} has no such lines:\n{code}"
    for example in (ROOT / "examples").glob("*.cpp"):
        assert f"examples/{example.name}" in page, f"the page does not show {example.name}"


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    failed = 0
    tests = [install, headers_compile_alone, examples_build_with_cmake, an_example_builds_with_pkg_config, examples_run,
             the_page_shows_the_examples]
    for test in tests:
        start = time.monotonic()
        try:
            test()
            print(f"ok {test.__name__} ({time.monotonic() - start:.1f} s)")
        except (AssertionError, OSError, subprocess.TimeoutExpired) as wrong:
            failed += 1
            print(f"FAILED {test.__name__}: {wrong}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

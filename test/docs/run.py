"""Runs the commands that README.md, docs/*.md and the folders' READMEs show, so that a wrong one fails.

Each kind of command has a way to be tried; each way has a wrong command below that it must refuse, so that one that has gone blind
fails too. Closes with 'N passed, N failed, N skipped'.
"""

import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BARNABAS = os.environ.get("BARNABAS_BIN", str(ROOT / "build" / "release" / "bin" / "barnabas"))
SHOWN_ADDRESS = "127.0.0.1:9092"
# The first word of an indented line that is a command and not a drawing, a listing or an example of a file.
PROGRAM = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ +)*((?:\./|\w[\w-]*/)*[\w.-]+)(?: |$)")
KNOWN_PROGRAMS = {"./dev", "kcat", "barnabas", "python3", "build/release/bin/barnabas"}
SHELL_WORDS = {"curl", "docker", "cmake", "ninja", "make", "git", "apt-get", "java", "bash", "sh", "pip", "cargo", "go", "npm"}


def pages():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in sorted(listed.stdout.split()) if (ROOT / name).is_file()]


def indented_commands(text):
    for number, line in enumerate(text.splitlines(), 1):
        found = PROGRAM.match(line[4:]) if re.match(r"    \S", line) else None
        first = found.group(1) if found else ""
        if first in KNOWN_PROGRAMS or first in SHELL_WORDS or re.fullmatch(r"kafka-[a-z-]+(\.sh)?", first):
            command = re.split(r"\s{2,}#|\s+# ", line[4:].removeprefix("$ "))[0].strip()
            yield number, command


def commands_in_sentences(text):
    for number, line in enumerate(text.splitlines(), 1):
        for command in re.findall(r"`(barnabas [a-z][^`]*)`", line):
            yield number, command


class Wrong(Exception):
    pass


class Skipped(Exception):
    pass


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Broker:
    """Started when first needed, ended with the run."""

    def __init__(self, folder):
        self.folder, self.process, self.address = folder, None, None

    def overrides(self):
        port = free_port()
        listeners = f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{free_port()}"
        data = tempfile.mkdtemp(dir=self.folder)
        return port, ["--override", f"listeners={listeners}", "--override", f"log.dirs={data}"]

    def start(self):
        if self.process:
            return self.address
        port, overrides = self.overrides()
        self.process = subprocess.Popen([BARNABAS, "server", *overrides], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:  # "durability" is the last thing said when it serves
            if line.startswith("durability"):
                self.address = f"127.0.0.1:{port}"
                return self.address
        raise Wrong("the broker did not start")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)


def run(command, folder, seconds=60):
    """Runs a command line as bash does."""
    try:
        done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise Wrong(f"did not end within {seconds} s") from None
    if done.returncode != 0:
        raise Wrong(f"exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def try_kcat(command, broker):
    if not shutil.which("kcat"):
        raise Skipped("there is no kcat")
    if SHOWN_ADDRESS not in command:
        raise Wrong(f"it does not go to {SHOWN_ADDRESS}")
    output = run(command.replace(SHOWN_ADDRESS, broker.start()), broker.folder)
    if " -C" in command and not output.strip():
        raise Wrong("it read nothing")


def try_barnabas(command, broker):
    words = shlex.split(command)[1:]
    if words[:1] != ["server"]:
        run(shlex.join([BARNABAS, *words]), tempfile.mkdtemp(dir=broker.folder))
        return
    _, overrides = broker.overrides()
    process = subprocess.Popen([BARNABAS, *words, *overrides], cwd=tempfile.mkdtemp(dir=broker.folder), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(2)
    ended = process.poll()
    process.terminate()
    process.wait(timeout=30)
    if ended is not None:
        raise Wrong(f"the server ended with {ended}")


def try_subcommand(command, broker):
    """Words of subcommands are lower case and come first; what follows are arguments and options."""
    words = []
    for word in command.split()[1:]:
        if not re.fullmatch(r"[a-z][a-z|-]*", word):
            break
        words.append(word.split("|"))
    if not words:
        raise Wrong("it names no subcommand")
    above = [alternatives[0] for alternatives in words[:-1]]
    listed = run(shlex.join([BARNABAS, *above, "--help"]), broker.folder)
    for name in words[-1]:
        if not re.search(rf"^\s+{re.escape(name)}\b", listed, re.M):
            raise Wrong(f"`{' '.join(['barnabas', *above])}` has no subcommand {name}")


def try_dev(command, broker):
    name = shlex.split(command)[1]
    usage = run("./dev help", ROOT)
    if not re.search(rf"^\./dev {re.escape(name)}\b", usage, re.M):
        raise Wrong(f"./dev help does not list {name}")


def try_python(command, broker):
    words = shlex.split(command)
    script = ROOT / words[words.index("python3") + 1]
    if not script.is_file():
        raise Wrong(f"there is no {script.relative_to(ROOT)}")
    known = script.read_text()
    for option in (word.split("=")[0] for word in words if word.startswith("--")):
        if f'"{option}"' not in known:
            raise Wrong(f"{script.relative_to(ROOT)} does not know {option}")


def try_install(command, broker):
    prefix = tempfile.mkdtemp(dir=broker.folder)
    wanted, replaced = re.subn(r"--prefix \S+", f"--prefix {prefix}", command)
    if replaced != 1 or not command.startswith("cmake --install "):
        raise Wrong("it does not install to one --prefix")
    run(wanted, ROOT)
    if not any(pathlib.Path(prefix).rglob("*.h")):
        raise Wrong("it installed no header")


def way_of(command):
    words = [word for word in command.split() if not re.fullmatch(r"[A-Z_]+=\S+", word)]
    ways = {"kcat": try_kcat, "barnabas": try_barnabas, "build/release/bin/barnabas": try_barnabas, "./dev": try_dev, "python3": try_python,
            "cmake": try_install}
    if words[0] not in ways:
        raise Wrong("test/docs/run.py does not know how to try it")
    return ways[words[0]]


WRONG = [
    (try_kcat, f"kcat -b {SHOWN_ADDRESS} --no-such-option"), (try_kcat, f"kcat -b {SHOWN_ADDRESS} -t nothing-here -C -e"),
    (try_barnabas, "barnabas nonsense"), (try_barnabas, "barnabas server no-such-file.properties"), (try_subcommand, "barnabas storage burn"),
    (try_subcommand, "barnabas storage format|burn"),
    (try_install, "cmake --install build/nowhere --prefix /usr/local"), (try_install, "cmake --install build/release"),
    (try_dev, "./dev nothing"), (try_python, "python3 no/such.py"), (try_python, "python3 test/interop/run.py --no-such-option"),
]


def main():
    if not pathlib.Path(BARNABAS).exists():
        print(f"there is no {BARNABAS}", file=sys.stderr)
        return 2
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(folder)

        def account(where, command, way):
            try:
                (way or way_of(command))(command, broker)
                counts["passed"] += 1
            except Skipped as why:
                counts["skipped"] += 1
                print(f"skipped {where}: {command}: {why}")
            except Wrong as why:
                counts["failed"] += 1
                print(f"{where}: {command}\n    {why}")

        try:
            for page in pages():
                text, name = page.read_text(), page.relative_to(ROOT)
                for number, command in indented_commands(text):
                    account(f"{name}:{number}", command, None)
                for number, command in commands_in_sentences(text):
                    account(f"{name}:{number}", command, try_subcommand)
            for way, command in WRONG:
                try:
                    way(command, broker)
                    counts["failed"] += 1
                    print(f"{way.__name__} no longer refuses: {command}")
                except Wrong:
                    counts["passed"] += 1
                except Skipped as why:
                    counts["skipped"] += 1
                    print(f"skipped {command}: {why}")
        finally:
            broker.stop()
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

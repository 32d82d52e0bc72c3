#!/usr/bin/env python3
"""Kafka's command line tools, theirs and ours: the same scripts of commands, the same text and exit codes.

A script (topics.txt, ...) is a list of commands as an operator types them. What the real tools of Kafka 4.3 say to it,
against a real Kafka, is recorded in golden/ (`--record`, needs java). A run without flags plays each script with the
shims (links to the barnabas program) against a Barnabas node and compares; `--node kafka` takes a real Kafka for the
cluster. Identifiers, ports and times are replaced by names before the comparison, log lines of log4j and stack traces
are left out. differences.txt lists the commands that may answer differently, each with its reason.

In a script: a command; `< line` gives it standard input; `& command` runs until the script ends; `until WORD command`
repeats until WORD is in its output; `wait SECONDS`; `file`, `unpack`, `truncate`, `damage` make files in @TMP, where commands run.
@B is the cluster's address, @TMP that directory, @DATA test/shims/data.
"""

import argparse
import difflib
import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "test" / "interop"))

from rig import kafka  # noqa: E402
from rig.barnabas import BINARY, Barnabas  # noqa: E402

NEEDS_NO_CLUSTER = {"storage", "dump-log"}
TIMEOUT = 120


def steps(text):
    """(line, standard input) of each step of a script."""
    found = []
    for line in text.splitlines():
        if line.startswith("<"):
            found[-1][1].append(line[2:])
        elif line.strip() and not line.startswith("#"):
            found.append((line, []))
    return found


class Tools:
    """Starts a tool by its name: the real one, or ours through a link with that name."""

    def __init__(self, real, folder):
        self.real, self.folder = real, folder
        folder.mkdir(exist_ok=True)

    def argv(self, name, arguments):
        if self.real:
            if name == "kafka-storage":
                return [*kafka.java("kafka.tools.StorageTool"), *arguments]
            return kafka.tool_argv(name, *arguments)
        link = self.folder / name
        if not link.is_symlink():
            link.symlink_to(BINARY)
        return [str(link), *arguments]


class Player:
    def __init__(self, tools, bootstrap, place):
        self.tools, self.bootstrap, self.place = tools, bootstrap, place
        self.background = []

    def fill(self, text):
        return text.replace("@B", self.bootstrap or "127.0.0.1:1").replace("@TMP", str(self.place)).replace("@DATA", str(HERE / "data"))

    def command(self, line):
        name, *arguments = shlex.split(self.fill(line))
        return self.tools.argv(name, arguments)

    def start(self, line, **more):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("KAFKA_", "BARNABAS_"))}
        return subprocess.Popen(self.command(line), cwd=self.place, env=environment, **more)

    def run(self, line, given):
        stdin = "".join(self.fill(one) + "\n" for one in given).encode() if given else b""
        process = self.start(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(stdin, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            err += b"(did not end)\n"
        return out.decode(errors="replace"), err.decode(errors="replace"), process.returncode

    def play(self, text):
        """[(command line, what it said)]"""
        said = []
        try:
            for line, given in steps(text):
                word, _, rest = line.partition(" ")
                if word == "file":
                    (self.place / rest).write_text("".join(self.fill(one) + "\n" for one in given))
                elif word == "unpack":
                    with tarfile.open(ROOT / rest) as archive:
                        archive.extractall(self.place, filter="data")
                elif word == "truncate":
                    name, size = rest.split()
                    os.truncate(self.place / name, int(size))
                elif word == "damage":
                    name, at = rest.split()
                    with open(self.place / name, "r+b") as file:
                        file.seek(int(at))
                        old = file.read(1)
                        file.seek(int(at))
                        file.write(bytes([old[0] ^ 0x55]))
                elif word == "&":
                    self.background.append(self.start(rest, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
                elif word == "wait":
                    time.sleep(float(rest))
                elif word == "until":
                    wanted, _, command = rest.partition(" ")
                    for _ in range(60):
                        if wanted in self.run(command, [])[0]:
                            break
                        time.sleep(0.3)
                else:
                    said.append((line, self.answer(line, given)))
        finally:
            for process in self.background:
                process.kill()
                process.wait()
        return said

    def answer(self, line, given):
        out, err, code = self.run(line, given)
        lines = ["  " + one for one in self.normal(out)] + ["! " + one for one in self.normal(err)]
        lines = with_short_usage(lines, whole="--help" in line)
        return [one.rstrip() for one in lines if not LOG_LINE.match(one)] + [f"= {code}"]

    def normal(self, text):
        text = text.replace(str(self.place), "@TMP")
        if self.bootstrap:
            text = text.replace(self.bootstrap, "@B")
        for pattern, name in REPLACED:
            text = pattern.sub(name, text)
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        return lines


REPLACED = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "(uuid)"),
    (re.compile(r"(?<=TopicId: )[\w-]{22}"), "(topic id)"),
    (re.compile(r"(?<=directory.id=)[\w-]{22}"), "(directory id)"),
    (re.compile(r"^[\w-]{22}$", re.M), "(random uuid)"),
    (re.compile(r"(?<=CreateTime:)\d{13}"), "(time)"),
]
# What log4j prints, and stack traces: (log line, the exception it is about) and frames.
LOG_LINE = re.compile(r"^! (\[\d{4}-| \(org\.apache|\tat |Caused by: |\t?\.\.\. \d+ more|\t)")
EXCEPTION = re.compile(r'^! (Exception in thread "main" )?(\w+\.)+\w+(Exception|Error)(: |$)')

# Of one way to configure a consumer, on each start of the real tool.
ADVERTISEMENT = "(KIP-848) is production-ready!"


def as_compared(lines):
    """Lines of an answer without what need not be the same: log lines, stack traces, empty lines, the widths of columns.

    Of an exception that ends the program its sentence is left. Of a usage text the names of the options are."""
    kept = []
    for line in lines:
        if LOG_LINE.match(line) or ADVERTISEMENT in line:
            continue
        if EXCEPTION.match(line):
            sentence = EXCEPTION.sub("", line)
            while EXCEPTION.match("! " + sentence):
                sentence = EXCEPTION.sub("", "! " + sentence)
            if any(sentence in one for one in kept):
                continue
            line = "! " + sentence
        line = re.sub(r" {2,}", "  ", line[:2] + line[2:].rstrip())
        if line.strip("! "):
            kept.append(line)
    return kept


def show(said):
    return "".join(f"$ {line}\n" + "".join(one + "\n" for one in lines) + "\n" for line, lines in said)


def read_golden(text):
    said = []
    for line in text.splitlines():
        if line.startswith("$ "):
            said.append((line[2:], []))
        elif line:
            said[-1][1].append(line)
    return said


def read_differences(real_node):
    """{command line: reason}. What is said of the Barnabas node does not count with a real Kafka."""
    found, reason = {}, ""
    path = HERE / "differences.txt"
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("#"):
            reason = line[1:].strip()
        elif line.strip() and not (real_node and reason.startswith("node:")):
            found[line.strip()] = reason
    return found


def with_short_usage(lines, whole):
    """A usage text becomes the list of its options, "! --topic<String:topic>", or a word for it. Of argparse4j's help
    the names of the arguments are left, and its sentences are made one line again."""
    titles = [i for i, line in enumerate(lines) if line.endswith(" arguments:")]
    if titles:
        names = [line for line in lines[titles[0]:] if line.endswith(" arguments:") or re.match(r"   {1,4}\S", line)]
        return lines[:titles[0]] + [re.split(r"(?<=\S) {2,}", line)[0] for line in names]
    for i, line in enumerate(lines):
        if re.match(r"! \S+: error: ", line):
            sentence = " ".join(one[2:] for one in lines[i:])
            return [*lines[:i], "! " + re.sub(r" +", " ", sentence).strip()]
    for start, line in enumerate(lines):
        if re.match(r"! Option +Description", line):
            break
    else:
        return lines
    if not whole:
        return [*lines[:start], "! (options)"]
    column = lines[start].index("Description")
    options = []
    for line in lines[start + 2:]:
        left = line[2:column].strip()
        if line.startswith("! --"):
            options.append(left)
        elif left and line[2:column].startswith("  "):
            options[-1] += left
    # Broken into lines at any place.
    return [*lines[:start], *("! " + one.replace(" ", "") for one in options)]


def nobody_reads():
    """What a shim does at the end of a pipe that is closed, as `| head` leaves it: nothing but to end. None when it does."""
    with tempfile.TemporaryDirectory(prefix="shims-") as folder:
        with tarfile.open(ROOT / "src/log/testdata/golden-clean.tar.gz") as archive:
            archive.extractall(folder, filter="data")
        argv = Tools(False, Path(folder) / "bin").argv("kafka-dump-log", [
            "--files", f"{folder}/__cluster_metadata-0/00000000000000000000.log", "--cluster-metadata-decoder"])
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run(argv, stdout=write_end, stderr=subprocess.PIPE, timeout=TIMEOUT)
        os.close(write_end)
    return None if done.returncode == 0 and not done.stderr else f"exit {done.returncode}: {done.stderr.decode()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", help="topics, consumer-groups, ...; all by default")
    parser.add_argument("--record", action="store_true", help="write golden/ anew with the real tools and a real Kafka")
    parser.add_argument("--node", choices=["barnabas", "kafka"], help="the cluster; barnabas unless recording")
    parser.add_argument("--tools", choices=["shims", "real"], help="whose tools; shims unless recording")
    options = parser.parse_args()
    names = options.scripts or sorted(path.stem for path in HERE.glob("*.txt") if path.stem != "differences")
    real_tools = (options.tools or ("real" if options.record else "shims")) == "real"
    real_node = (options.node or ("kafka" if options.record else "barnabas")) == "kafka"
    differences = read_differences(real_node)
    passed = failed = 0
    excused = set()
    for name in names:
        with tempfile.TemporaryDirectory(prefix="shims-") as folder:
            folder = Path(folder)
            place = folder / "work"
            place.mkdir()
            node = None
            try:
                if name not in NEEDS_NO_CLUSTER:
                    node = (kafka.RealKafka if real_node else Barnabas)(folder / "node")
                    node.format()
                    node.start()
                player = Player(Tools(real_tools, folder / "bin"), node and node.bootstrap, place)
                said = player.play((HERE / f"{name}.txt").read_text())
            finally:
                if node is not None:
                    node.close()
        golden = HERE / "golden" / f"{name}.txt"
        if options.record:
            golden.write_text(show(said))
            passed += len(said)
            continue
        expected = read_golden(golden.read_text())
        if [line for line, _ in expected] != [line for line, _ in said]:
            print(f"golden/{name}.txt is not of this script: record it anew")
            failed += 1
            continue
        for (line, theirs), (_, ours) in zip(expected, said):
            theirs, ours = as_compared(theirs), as_compared(ours)
            if theirs == ours:
                passed += 1
            elif line in differences:
                excused.add(line)
                passed += 1
            else:
                failed += 1
                print(f"{name}: $ {line}")
                for one in list(difflib.unified_diff(theirs, ours, "Kafka", "shim", lineterm="", n=1))[2:40]:
                    print("    " + one[:300])
    if not real_tools and "dump-log" in names:
        wrong = nobody_reads()
        passed, failed = (passed, failed + 1) if wrong else (passed + 1, failed)
        if wrong:
            print(f"dump-log into a closed pipe: {wrong}")
    if not options.scripts and not options.record:
        for line in sorted(differences.keys() - excused):
            print(f"does not differ, though differences.txt has it: {line}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs `barnabas` as people do and compares what it says with transcripts.

golden/*.txt are transcripts: a line "$ command" is run by bash, what follows is what it must print: standard output as it is, lines of
standard error behind "! ", an exit code that is not 0 as "[exit N]". What differs from run to run is written as <id>, <port>, <time>,
<dir>; after a command that ends in "# digits" all numbers are N. `--update` writes what was printed into the transcripts: read the
difference before it is committed. What a transcript cannot show (terminals, Ctrl-C) is tested by the functions below.

Closes with 'N passed, N failed, N skipped'; each command of a transcript is one test.
"""

import argparse
import difflib
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
BARNABAS = pathlib.Path(os.environ.get("BARNABAS_BIN", ROOT / "build" / "release" / "bin" / "barnabas")).resolve()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Node:
    """One combined node of ours."""

    def __init__(self, folder):
        self.port, self.controller_port = free_port(), free_port()
        listeners = f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}"
        self.data = folder / "data"
        self.process = subprocess.Popen(
            [str(BARNABAS), "server", "--override", f"listeners={listeners}", "--override", f"log.dirs={self.data}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = []
        for line in self.process.stderr:
            said.append(line)
            if line.startswith("durability"):
                return
        raise SystemExit("the node did not start:\n" + "".join(said))

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=30)


class Stranger:
    """A port where something else than Kafka answers: `talk` gets each connection."""

    def __init__(self, talk):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.talk = talk
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.speak, args=(connection,), daemon=True).start()

    def speak(self, connection):
        try:
            self.talk(connection)
        except OSError:
            pass
        finally:
            connection.close()


def talk_http(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def talk_nothing(connection):
    while connection.recv(65536):
        pass


def tls_stranger(folder):
    """A TLS server, or None where there is no openssl to make its certificate."""
    if not shutil.which("openssl"):
        return None
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
                           "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], capture_output=True)
    if made.returncode:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")

    def talk(connection):
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)

    return Stranger(talk)


class World:
    """What commands find: a node, strangers on other ports, a home of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.node = Node(folder)
        self.http, self.silent, self.tls = Stranger(talk_http), Stranger(talk_nothing), tls_stranger(folder)
        programs = folder / "bin"
        programs.mkdir()
        (programs / "barnabas").symlink_to(BARNABAS)
        self.fresh_home()
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home/config"),
            "XDG_CACHE_HOME": str(folder / "home/cache"), "LC_ALL": "C.UTF-8", "TERM": "xterm", "DIR": str(folder),
            "NODE": f"127.0.0.1:{self.node.port}", "BARNABAS_BOOTSTRAP_SERVER": f"127.0.0.1:{self.node.port}",
            "CLOSED": f"127.0.0.1:{free_port()}", "HTTP": f"127.0.0.1:{self.http.port}", "SILENT": f"127.0.0.1:{self.silent.port}",
            "TLS": f"127.0.0.1:{self.tls.port}" if self.tls else "",
        }

    def fresh_home(self):
        shutil.rmtree(self.folder / "home", ignore_errors=True)
        (self.folder / "home").mkdir()

    def run(self, command):
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=self.folder / "home", env=self.environment, capture_output=True,
                              text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def plain(self, text, digits):
        """What differs from run to run, as placeholders."""
        varies = str(self.folder) in text or digits
        text = text.replace(str(self.folder), "<dir>")
        text = re.sub(r"\b127\.0\.0\.1:\d+", "127.0.0.1:<port>", text)
        text = re.sub(rf"\b({self.node.port}|{self.node.controller_port})\b", "<port>", text)
        text = re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<time>", text)
        text = re.sub(r'(?<![\w/.-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{22}(?![\w/.-])', "<id>", text)
        text = re.sub(r'(?m)^([ -]*\w+: )"<id>"$', r"\1<id>", text)  # YAML quotes those that begin with a digit
        if digits:
            text = re.sub(r"\b\d+(\.\d+)? ([KMGTP]i)?B\b", "<size>", text)
            text = re.sub(r"\d+(\.\d+)?", "N", text)
        return re.sub(r"(?<=\S) {2,}", "  ", text) if varies else text

    def transcript(self, command):
        code, out, err = self.run(command)
        digits = command.endswith("# digits")
        lines = self.plain(out, digits).split("\n")
        if lines[-1] == "":
            lines.pop()
        else:
            lines[-1] += "[no newline]"
        lines += ["! " + line for line in self.plain(err, digits).splitlines()]
        if code:
            lines.append(f"[exit {code}]")
        return lines

    def close(self):
        self.node.stop()


def steps_of(path):
    """The transcript as (command, lines); what stands before the first command is a remark."""
    steps, remark = [], []
    for line in path.read_text().splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif steps:
            steps[-1][1].append(line)
        else:
            remark.append(line)
    return remark, [(command, strip_end(lines)) for command, lines in steps]


def strip_end(lines):
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, problem):
        if problem is None:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {problem}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}")


def play(path, world, counts, update):
    world.fresh_home()
    remark, steps = steps_of(path)
    written = list(remark)
    for command, expected in steps:
        if "$TLS" in command and not world.tls:
            counts.skip(f"{path.name}: {command}", "there is no openssl")
            written += [f"$ {command}", *expected, ""]
            continue
        try:
            printed = strip_end(world.transcript(command))
        except subprocess.TimeoutExpired:
            printed = ["[did not end]"]
        written += [f"$ {command}", *printed, ""]
        if not update:
            difference = "\n".join(difflib.unified_diff(expected, printed, "expected", "printed", lineterm="", n=1))
            counts.check(f"{path.name}: {command}", "\n" + difference if difference else None)
    if update:
        path.write_text("\n".join(written).rstrip("\n") + "\n")


# ---- what transcripts cannot show

class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, world, words, **environment):
        self.process_id, self.file = pty.fork()
        if self.process_id == 0:
            os.chdir(world.folder / "home")
            os.execvpe("barnabas", ["barnabas", *words], world.environment | environment)
        self.text = ""

    def read_until(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if re.search(pattern, self.text):
                return True
            ready, _, _ = select.select([self.file], [], [], 0.1)
            if ready:
                try:
                    chunk = os.read(self.file, 65536)
                except OSError:
                    chunk = b""
                if not chunk:
                    break
                self.text += chunk.decode(errors="replace")
        return bool(re.search(pattern, self.text))

    def type(self, keys):
        os.write(self.file, keys)

    def end(self):
        self.read_until(r"\Z(?!)", 20)
        _, status = os.waitpid(self.process_id, 0)
        os.close(self.file)
        return os.waitstatus_to_exitcode(status)


def ctrl_c_ends_live_views(world):
    for words in (["top"], ["top", "--interval", "10s"], ["group", "lag", "--watch"]):
        terminal = Terminal(world, words)
        if not terminal.read_until("\x1b\\[J"):
            return f"{words} drew nothing: {terminal.text!r}"
        terminal.type(b"\x03")
        code = terminal.end()
        if code != 0:
            return f"{words} ended with {code} after Ctrl-C"
        if not terminal.text.endswith("\x1b[?25h"):
            return f"{words} did not show the cursor again: {terminal.text[-40:]!r}"
    return None


def live_views_fit_the_window(world):
    terminal = Terminal(world, ["top", "-n", "2", "--interval", "100ms"])
    code = terminal.end()
    if code != 0 or "BROKER" not in terminal.text:
        return f"exit code {code}: {terminal.text!r}"
    for line in re.sub("\x1b\\[[0-9?]*[A-Za-z]", "", terminal.text).splitlines():
        if len(line) > 80:
            return f"a line is longer than the window: {line!r}"
    return None


def live_views_are_plain_elsewhere(world):
    code, out, err = world.run("barnabas top -n 1; barnabas top -n 1 --color always")
    if code != 0 or "\x1b[?25l" in out or "\x1b[J" in out:
        return f"exit code {code}: {out!r} {err!r}"
    return None


def interrupted_watch_ends_well(world):
    process = subprocess.Popen(["barnabas", "group", "lag", "--watch", "--interval", "60s"], env=world.environment, stdout=subprocess.PIPE)
    process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    try:
        code = process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        return "it waited for its interval"
    return None if code == 0 else f"exit code {code}"


def color_is_for_terminals(world):
    colored = "\x1b[1m"
    for words, environment, expected in (
        (["topic", "list"], {}, True), (["topic", "list"], {"NO_COLOR": "1"}, False), (["topic", "list"], {"NO_COLOR": ""}, True),
        (["topic", "list", "--color", "never"], {}, False), (["topic", "list", "--color", "always"], {"NO_COLOR": "1"}, True),
        (["topic", "list", "-o", "json"], {}, False),
    ):
        terminal = Terminal(world, words, **environment)
        if terminal.end() != 0:
            return f"{words}: {terminal.text!r}"
        if (colored in terminal.text) != expected:
            return f"{words} {environment}: {terminal.text!r}"
    _, out, _ = world.run("barnabas topic list; barnabas topic list --color always | head -1")
    return None if out.count(colored) == 3 else f"in a pipe: {out!r}"


def asks_before_it_deletes(world):
    world.run("barnabas topic create doomed -p 1")
    for answer, remains in ((b"n\r", True), (b"\r", True), (b"y\r", False)):
        terminal = Terminal(world, ["topic", "delete", "doomed"])
        if not terminal.read_until(r"\[y/N\] "):
            return f"it did not ask: {terminal.text!r}"
        terminal.type(answer)
        code = terminal.end()
        there = "doomed" in world.run("barnabas topic list -o name")[1].split()
        if there != remains or code != (1 if remains else 0):
            return f"answer {answer!r}: exit code {code}, the topic is {'there' if there else 'gone'}"
    return None


def closed_pipes_end_quietly(world):
    for command in ("barnabas help-json", "barnabas topic list", "barnabas config get broker/1 --all", "barnabas help --markdown"):
        code, out, err = world.run(f"set +o pipefail; {command} | head -1; echo ${{PIPESTATUS[0]}}")
        if err or out.strip().split("\n")[-1] != "0":
            return f"{command}: {out!r} {err!r}"
    code, out, err = world.run("barnabas help-json > /dev/full")
    if code != 1 or "standard output cannot be written" not in err:
        return f"a full disk: exit code {code}, {err!r}"
    return None


def pages_are_installed(world):
    code, out, err = world.run("barnabas man install $DIR/man1 && ls $DIR/man1")
    if code != 0 or not {"barnabas.1", "barnabas-topic.1", "barnabas-topic-create.1"} <= set(out.split()):
        return f"exit code {code}: {out!r} {err!r}"
    if not shutil.which("groff"):
        return None
    code, out, err = world.run("for page in $DIR/man1/*.1; do groff -man -Tutf8 -ww -z $page || exit 1; done")
    return f"groff: {err}" if code or err else None


def completion_scripts_are_right(world):
    for shell in ("bash", "zsh", "fish"):
        if not shutil.which(shell):
            continue
        code, _, err = world.run(f"barnabas completion {shell} > $DIR/script && {shell} -n $DIR/script")
        if code or err:
            return f"{shell}: {err}"
    world.run("barnabas topic create completed-topic -p 1")
    for line, expected in (("barnabas topic describe completed-", "completed-topic"), ("barnabas topic create x --config=retention.m", "retention.ms="),
                           ("barnabas to", "topic top"), ("barnabas config get topic/comp", "topic/completed-topic")):
        script = (f'source <(barnabas completion bash); COMP_LINE="{line}"; COMP_POINT=${{#COMP_LINE}}; _barnabas 2>/dev/null; '
                  'echo "${COMPREPLY[*]}"')
        _, out, err = world.run(script)
        if out.strip() != expected:
            return f"{line!r} completes to {out!r}, not {expected!r} ({err})"
    return None


def completion_keeps_its_budget(world):
    for place in ("$SILENT", "$CLOSED"):
        started = time.monotonic()
        code, out, err = world.run(f"barnabas complete -- topic describe -b {place} ''")
        took = time.monotonic() - started
        if code or out or err or took > 5:  # generous: the machine may be busy
            return f"{place}: exit code {code}, {took:.1f} s, {out!r} {err!r}"
    return None


def profiles_are_private(world):
    world.fresh_home()
    world.run("barnabas profile add secret sasl.jaas.config=x -b $NODE")
    mode = (world.folder / "home/config/barnabas/config.properties").stat().st_mode & 0o777
    return None if mode == 0o600 else f"mode {mode:o}"


TESTS = [
    ctrl_c_ends_live_views, live_views_fit_the_window, live_views_are_plain_elsewhere, interrupted_watch_ends_well, color_is_for_terminals,
    asks_before_it_deletes, closed_pipes_end_quietly, pages_are_installed, completion_scripts_are_right, completion_keeps_its_budget,
    profiles_are_private,
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", help="transcripts (topic, errors, ...) or tests; all by default")
    parser.add_argument("--update", action="store_true", help="write the transcripts anew")
    options = parser.parse_args()
    if not BARNABAS.exists():
        print(f"there is no {BARNABAS}", file=sys.stderr)
        return 2
    counts = Counts()
    with tempfile.TemporaryDirectory(prefix="barnabas-cli-") as folder:
        for path in sorted(GOLDEN.glob("*.txt")):
            if options.names and path.stem not in options.names:
                continue
            own = pathlib.Path(folder) / path.stem
            own.mkdir()
            world = World(own)
            try:
                play(path, world, counts, options.update)
            finally:
                world.close()
        wanted = [test for test in TESTS if not options.names or test.__name__ in options.names]
        if wanted and not options.update:
            own = pathlib.Path(folder) / "tests"
            own.mkdir()
            world = World(own)
            try:
                world.run("barnabas topic create orders -p 3; barnabas group reset billing -t orders --to start -y")
                for test in wanted:
                    try:
                        problem = test(world)
                    except (OSError, subprocess.TimeoutExpired) as error:
                        problem = repr(error)
                    counts.check(test.__name__, problem)
            finally:
                world.close()
    print(f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())

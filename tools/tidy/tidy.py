"""The agreed things about the sources, checked: layers, file length, include cycles, the seam, coroutine shapes, the
effect column of configuration keys, formatting.

Each rule is a function from a source tree to complaints; each has a bad example below that it must complain about, so a rule that
has gone blind fails too. Prints what is wrong and closes with 'N passed, N failed'.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_MAX = 800
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)


class Tree:
    """Sources by path relative to the root."""

    def __init__(self, files, layers):
        self.files, self.layers = files, layers

    def sources(self):
        return ((p, t) for p, t in self.files.items() if p.startswith("src/") and p.endswith((".h", ".cpp")))


def folder(path):
    return path.split("/")[1]


def layers(tree):
    """A folder includes only itself and folders of lower levels."""
    for path, text in tree.sources():
        own = folder(path)
        if own not in tree.layers:
            yield f"{path}: folder {own} is not in tools/tidy/layers.txt"
            continue
        for include in INCLUDE.findall(text):
            other = include.split("/")[0]
            if other == own or other not in tree.layers:
                continue
            allowed = tree.layers[other] < tree.layers[own]
            if path.endswith("_test.cpp") and other == "runtime" and "testing" in include:
                allowed = tree.layers[other] <= tree.layers[own]
            if not allowed:
                yield f"{path}: includes {include}, which is not of a lower level ({tree.layers[other]} >= {tree.layers[own]})"


def length(tree):
    """One file holds one idea: at most 800 lines."""
    for path, text in tree.sources():
        lines = text.count("\n")
        if lines > LINES_MAX:
            yield f"{path}: {lines} lines, more than {LINES_MAX}: it holds more than one idea"


def include_cycles(tree):
    """Headers do not include each other in a circle."""
    graph = {p[4:]: [i for i in INCLUDE.findall(t) if "src/" + i in tree.files] for p, t in tree.sources() if p.endswith(".h")}
    state = {}

    def visit(node, trail):
        if state.get(node) == 2:
            return None
        if node in trail:
            return trail[trail.index(node):] + [node]
        state[node] = 1
        for other in graph.get(node, []):
            found = visit(other, trail + [node])
            if found:
                return found
        state[node] = 2
        return None

    for node in sorted(graph):
        found = visit(node, [])
        if found:
            yield "include cycle: " + " -> ".join(found)
            return


def code_of(text):
    """The text without comments and string contents, lines kept."""
    def blank(match):
        token = match.group(0)
        return '""' if token.startswith('"') else re.sub(r"[^\n]", " ", token)
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


SEAM = re.compile(r"std::this_thread|std::thread\b|std::jthread|system_clock::now|steady_clock::now|\bgettimeofday\(|\bstd::random_device")


def seam(tree):
    """No clock, thread or chance of their own above `host`: that is what the simulator replaces."""
    for path, text in tree.sources():
        if folder(path) in ("host", "cli", "main") or path.endswith("_test.cpp") or "/testing/" in path:
            continue
        for number, line in enumerate(code_of(text).splitlines(), 1):
            if SEAM.search(line):
                yield f"{path}:{number}: {SEAM.search(line).group(0)} belongs behind the seam (runtime/world.h)"


AWAIT_INSIDE = re.compile(r"\b(?:if|while|switch|for)\s*\(.*\bco_await\b|[(,]\s*(?:!\s*)?co_await\b|\bco_return\s+co_await\b|[-+*/<>=&|!?:]\s*co_await\b(?<!= co_await)")


def awaits_stand_alone(tree):
    """A co_await is a statement of its own: its temporaries die before the next decision (and compilers get it right)."""
    for path, text in tree.sources():
        for number, line in enumerate(code_of(text).splitlines(), 1):
            if "co_await" in line and AWAIT_INSIDE.search(line):
                yield f"{path}:{number}: co_await inside an expression; give its result a name first"


LAMBDA = re.compile(r"\[([^\[\]]+)\]\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)\s*)?(?:mutable\s*)?(?:->\s*[^{;]+)?\{")


def lambda_coroutines(tree):
    """A lambda with captures is no coroutine: its captures die with the lambda object, before the frame does."""
    for path, text in tree.sources():
        code = code_of(text)
        for match in LAMBDA.finditer(code):
            depth, at = 1, match.end()
            while at < len(code) and depth:
                depth += {"{": 1, "}": -1}.get(code[at], 0)
                at += 1
            if re.search(r"\bco_(?:await|return|yield)\b", code[match.end():at]):
                line = code.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: a lambda with captures is a coroutine; make it a function with parameters"


def speech(tree):
    """The repository speaks of the product alone."""
    for path, text in tree.files.items():
        if "/work" + "/" in text and not path.startswith("build/"):
            yield f"{path}: names a path of somebody's machine"


def readmes(tree):
    """Every folder of src/ has a page that says what it is."""
    for name in sorted({folder(p) for p, _ in tree.sources()}):
        if name != "main" and f"src/{name}/README.md" not in tree.files:
            yield f"src/{name}: has no README.md"


ROW = re.compile(r"^([a-z][\w.]*) \|.* \| (acts|accepted)\n(?: += (.*)\n)?", re.M)
NODE_TABLES = ("barnabas", "broker", "topic", "group", "client_metrics", "extra")
# Keys that config/ itself turns into something of another name: what other folders read of it.
READ_AS = {
    "advertised.listeners": "advertised_listeners", "config.providers": "variables", "controller.quorum.bootstrap.servers":
    "quorum_bootstrap_servers", "controller.quorum.voters": "quorum_voters", "inter.broker.listener.name":
    "inter_broker_listener_name", "internal.metadata.log.segment.bytes": "log_segment_bytes", "internal.segment.bytes":
    "segment_bytes", "listener.security.protocol.map": "protocol", "listeners": "listeners", "log.dirs": "log_dirs",
    "max.connections.per.ip.overrides": "max_connections_per_ip_overrides", "process.roles": "is_broker",
    "queued.max.request.bytes": "request_memory_bytes",
}
ASSIGNED = re.compile(r"\b(?:config|node)\.(\w+)(?:\[[^\]]*\])?\s*=(?!=)|\b(?:config|node)\.(\w+)\.push_back")
KEY = re.compile(r'"([a-z][\w.]+)"')


def fields_of_keys(tree):
    """By key: the fields that the code of config/ fills from it."""
    fields = {key: {name} for key, name in READ_AS.items()}
    for path, text in tree.sources():
        if folder(path) != "config" or not path.endswith(".cpp") or path.endswith("_test.cpp"):
            continue
        for statement in text.split(";"):
            found = ASSIGNED.search(statement)
            for key in KEY.findall(statement) if found else ():
                fields.setdefault(key, set()).add(found.group(1) or found.group(2))
    return fields


def effects(tree):
    """A configuration key that is said to act is read outside of config/, by its name or by the field it fills."""
    outside = "\n".join(t for p, t in tree.sources() if folder(p) not in ("config", "client") and not p.endswith("_test.cpp")
                        and "/testing/" not in p)
    used, named = set(re.findall(r"(?:\.|->)(\w+)", outside)), set(KEY.findall(outside))
    fields = fields_of_keys(tree)
    rows = [(path, *row) for path, text in tree.files.items() if path.startswith("schema/config/")
            and pathlib.Path(path).stem in NODE_TABLES for row in ROW.findall(text)]
    # A broker key acts through the keys of topics and groups whose default it is.
    through = {name for path, _, effect, synonyms in rows if effect == "acts" and not path.endswith("broker.cfg")
               for name in re.findall(r"[a-z][\w.]+", synonyms)}
    for path, key, effect, _ in rows:
        read = key in named or any(field in used for field in fields.get(key, ())) or (path.endswith("broker.cfg") and key in through)
        if effect == "acts" and not read:
            yield f"{path}: {key} is said to act, but nothing outside of src/config reads it"


FILLED = re.compile(r"\b(?:into|tls|sasl)\.(\w+)(?:\.\w+)? = ")
READ_FIELD = re.compile(r"(?:\.|->)(\w+)(?!\w)(?!\(?\)? = )")
CLIENT_TABLES = ("client", "producer", "consumer", "admin")


def client_effects(tree):
    """The same of clients: a key that is said to act is named in src/client, and if it fills a setting, that is read."""
    code = "\n".join(t for p, t in tree.sources() if folder(p) == "client" and not p.endswith("_test.cpp") and "/testing/" not in p)
    named, used = set(KEY.findall(code)), set(READ_FIELD.findall(code))
    for path, text in tree.files.items():
        if not path.startswith("schema/config/") or pathlib.Path(path).stem not in CLIENT_TABLES:
            continue
        for key, effect, _ in ROW.findall(text):
            fields = {m for s in code.split(";") if f'"{key}"' in s for m in FILLED.findall(s)}
            if effect == "acts" and (key not in named and not key.startswith("compression.") or fields and not fields & used):
                yield f"{path}: {key} is said to act, but nothing in src/client reads it"


RULES = [layers, length, include_cycles, seam, awaits_stand_alone, lambda_coroutines, speech, readmes, effects, client_effects]

LEVELS = {"base": 0, "wire": 1, "log": 4}
BAD = {
    layers: {"src/base/a.h": '#include "log/b.h"\n', "src/log/b.h": ""},
    length: {"src/base/a.cpp": "\n" * (LINES_MAX + 1)},
    include_cycles: {"src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/a.h"\n'},
    seam: {"src/log/a.cpp": "std::thread t(f);\n"},
    awaits_stand_alone: {"src/log/a.cpp": "if (co_await f()) g();\n"},
    lambda_coroutines: {"src/log/a.cpp": "auto f = [x]() -> Task<> { co_await g(x); };\n"},
    speech: {"README.md": "/work" + "/main\n"},
    readmes: {"src/base/a.h": ""},
    effects: {"schema/config/broker.cfg": "a.key | int | 1 | - | low | read-only | - | acts\n",
              "src/config/a.cpp": 'config.a_field = number("a.key");\n', "src/log/a.cpp": 'f("another.key");\n'},
    client_effects: {"schema/config/client.cfg": "a.key | int | 1 | - | low | read-only | - | acts\n",
                     "src/client/a.cpp": 'into.a_field = number("a.key");\n'},
}


def formatting(paths):
    """clang-format has nothing to say."""
    done = subprocess.run(["clang-format-19", "--dry-run", *paths], cwd=ROOT, capture_output=True, text=True)
    complaints = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "warning:" in line})
    return [f"{path}: not formatted (./dev fmt)" for path in complaints]


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = {}
    for path in listed.stdout.split():
        full = ROOT / path
        if full.is_file() and full.suffix in (".h", ".cpp", ".md", ".py", ".txt", ".cmake", ".msg", ".cfg", ".json", ".go", ".js", ".java", ".rs", ".sh"):
            files[path] = full.read_text(errors="replace")
    table = {}
    for line in (ROOT / "tools/tidy/layers.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            level, name = line.split()
            table[name] = int(level)
    tree = Tree(files, table)
    passed = failed = 0
    for rule in RULES:
        complaints = list(rule(tree))
        blind = not list(rule(Tree(BAD[rule], LEVELS)))
        if blind:
            complaints.append(f"rule {rule.__name__} no longer sees its bad example")
        for complaint in complaints:
            print(complaint)
        passed, failed = (passed, failed + 1) if complaints else (passed + 1, failed)
    complaints = formatting([p for p, _ in tree.sources()])
    for complaint in complaints:
        print(complaint)
    passed, failed = (passed, failed + 1) if complaints else (passed + 1, failed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

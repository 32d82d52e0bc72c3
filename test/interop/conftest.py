"""Targets, nodes and clients as fixtures; the closing lines that say what was skipped, by name."""

import os
import tempfile
from pathlib import Path

import pytest

pytest.register_assert_rewrite("rig")

from rig.barnabas import BINARY, Barnabas
from rig.cache import Unavailable
from rig.clients import BY_NAME, CLIENTS
from rig.kafka import RealKafka

KINDS = {"kafka": RealKafka, "barnabas": Barnabas}


def pytest_addoption(parser):
    parser.addoption("--target", default="barnabas", choices=["kafka", "barnabas", "both"])
    parser.addoption("--quick", action="store_true", help="one codec per client, no restarts")


def pytest_generate_tests(metafunc):
    chosen = metafunc.config.getoption("target")
    if "target" in metafunc.fixturenames:
        targets = ["kafka", "barnabas"] if chosen == "both" else [chosen]
        metafunc.parametrize("target", targets, scope="session")
    if "client_name" in metafunc.fixturenames:
        only_writes = "journeys" in metafunc.fixturenames
        metafunc.parametrize("client_name", [c.name for c in CLIENTS if c.reads or only_writes])
    if "codec_of" in metafunc.fixturenames:
        quick = metafunc.config.getoption("quick")
        metafunc.parametrize("codec_of", [(c.name, codec) for c in CLIENTS for codec in (c.codecs[:1] if quick else c.codecs)],
                             ids=lambda pair: f"{pair[0]}-{pair[1]}")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: left out of --quick")


def pytest_collection_modifyitems(config, items):
    if config.getoption("quick"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture(scope="session")
def workplace():
    """Where the nodes of this run live; kept for a look if BARNABAS_KEEP is set."""
    place = Path(tempfile.mkdtemp(prefix="barnabas-interop-"))
    yield place
    if not os.environ.get("BARNABAS_KEEP"):
        import shutil
        shutil.rmtree(place, ignore_errors=True)


class SharedNodes:
    """One running node per target for all tests that neither stop it nor spoil it."""

    def __init__(self, workplace):
        self.workplace = workplace
        self.nodes = {}

    def get(self, target):
        node = self.nodes.get(target)
        if node is None:
            node = KINDS[target](self.workplace / f"shared-{target}")
            node.format()
            self.nodes[target] = node
        if not node.running():
            node.start()
        return node

    def close(self):
        for node in self.nodes.values():
            node.close()


@pytest.fixture(scope="session")
def shared_nodes(workplace):
    nodes = SharedNodes(workplace)
    yield nodes
    nodes.close()


@pytest.fixture
def node(target, shared_nodes):
    """The shared node of the target. If a test brings it down, that test fails and the next one gets it started again."""
    shared = shared_nodes.get(target)
    yield shared
    if not shared.running():
        pytest.fail(f"{target} ended with {shared.process.returncode} during this test\n{shared.log_tail(60)}")


@pytest.fixture
def make_node(workplace, request):
    """make_node(kind, **overrides): a node of the test's own, not formatted and not started."""
    made = []

    def make(kind, overrides=None, name="node"):
        node = KINDS[kind](Path(tempfile.mkdtemp(prefix=f"{name}-", dir=workplace)), overrides)
        made.append(node)
        return node

    yield make
    failed = getattr(request.node, "failed", False)
    for node in made:
        node.close()
        if failed:
            print(f"--- end of the log of {node.kind}\n{node.log_tail()}")


@pytest.fixture
def own_node(target, make_node):
    """A formatted node of the target for this test alone, not started."""
    node = make_node(target)
    node.format()
    return node


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.failed = True
    return report


class Company:
    """Drivers at work: each command has a driver to itself, which goes back to the pool when it is done."""

    def __init__(self):
        self.taken = []

    def begin(self, name, do, **command):
        for done in [entry for entry in self.taken if entry[2].finished]:
            self.taken.remove(done)
            done[0].give_back(done[1])
        client = BY_NAME[name]
        driver = client.take()
        running = driver.begin(do, **command)
        self.taken.append((client, driver, running))
        return running

    def dismiss(self):
        for client, driver, running in self.taken:
            client.give_back(driver) if running.finished else driver.close()


@pytest.fixture
def begin():
    """begin(client name, command, ...); the test is skipped if the machine lacks what the client needs."""
    company = Company()

    def start(name, do, **command):
        try:
            return company.begin(name, do, **command)
        except Unavailable as why:
            pytest.skip(f"{name}: {why}")

    yield start
    company.dismiss()


@pytest.fixture(scope="session", autouse=True)
def close_clients():
    yield
    for client in CLIENTS:
        client.close()


def reader_for(name: str, codec: str = "none"):
    """Another client that can read what this one wrote: the next in the list that is there and knows the codec."""
    names = [c.name for c in CLIENTS]
    at = names.index(name)
    for other in names[at + 1:] + names[:at]:
        if BY_NAME[other].reads and codec in BY_NAME[other].codecs:
            try:
                BY_NAME[other].ready()
                return other
            except Unavailable:
                continue
    raise AssertionError("there is no other client")


def pytest_sessionstart(session):
    if session.config.getoption("target") != "kafka" and not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: build it first (./dev build), or use --target kafka", returncode=2)


def pytest_unconfigure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or config.option.collectonly:
        return
    stats = reporter.stats
    skipped = stats.get("skipped", [])
    if skipped:
        print("skipped:")
        reasons = {}
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            reasons.setdefault(reason.removeprefix("Skipped: "), []).append(report.nodeid.split("::")[-1])
        for reason, tests in sorted(reasons.items()):
            print(f"  {reason} ({len(tests)} tests: {', '.join(tests[:4])}{', ...' if len(tests) > 4 else ''})")
    failed = len(stats.get("failed", [])) + len(stats.get("error", []))
    print(f"{len(stats.get('passed', []))} passed, {failed} failed, {len(skipped)} skipped")

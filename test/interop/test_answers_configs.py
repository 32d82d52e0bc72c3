"""What DescribeConfigs, IncrementalAlterConfigs and AlterConfigs answer; DescribeLogDirs and DescribeProducers."""

import random

import pytest

from rig import ask, batch, wire
from rig.wire import Writer

TOPIC, BROKER, LOGGER, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = 0, 1, 2, 3


@pytest.fixture
def connection(node):
    with node.connect(timeout=20) as connection:
        yield connection


@pytest.fixture
def topic(node):
    name = f"configs-{random.randint(0, 1 << 40)}"
    ask.create_topic(node, name, 1)
    return name


def alter(connection, kind, name, *changes, validate_only=False):
    """changes: (key, operation, value). The error."""
    body = Writer().carray([name], lambda w, n: w.i8(kind).cstring(n).carray(
        changes, lambda w2, c: w2.cstring(c[0]).i8(c[1]).cstring(c[2]).tags()).tags()).boolean(validate_only).tags()
    answer = connection.call(wire.INCREMENTAL_ALTER_CONFIGS, 1, body)
    answer.i32()
    rows = answer.carray(lambda r: (r.i16(), r.cstring(), r.i8(), r.cstring(), r.tags())[:4])
    assert [row[2:] for row in rows] == [(kind, name)]
    return rows[0][0]


class Described:
    def __init__(self, connection, kind, name, keys=None, synonyms=False, documentation=False):
        body = Writer().carray([name], lambda w, n: w.i8(kind).cstring(n).carray(keys, Writer.cstring).tags())
        answer = connection.call(wire.DESCRIBE_CONFIGS, 4, body.boolean(synonyms).boolean(documentation).tags())
        answer.i32()

        def entry(r):
            row = {"name": r.cstring(), "value": r.cstring(), "read_only": r.boolean(), "source": r.i8(), "sensitive": r.boolean()}
            row["synonyms"] = r.carray(lambda s: (s.cstring(), s.cstring(), s.i8(), s.tags())[:3])
            row["type"], row["documentation"] = r.i8(), r.cstring()
            r.tags()
            return row

        rows = answer.carray(lambda r: (r.i16(), r.cstring(), r.i8(), r.cstring(), r.carray(entry), r.tags()))
        answer.tags(), answer.finish()
        self.error, self.message = rows[0][:2]
        self.entries = {entry["name"]: entry for entry in rows[0][4]}

    def value(self, key):
        return self.entries[key]["value"]


def test_describe_a_topic(connection, topic):
    found = Described(connection, TOPIC, topic)
    assert found.error == 0 and len(found.entries) >= 33
    retention = found.entries["retention.ms"]
    assert (retention["value"], retention["source"], retention["read_only"], retention["type"]) == ("604800000", 5, False, 5)
    assert found.value("cleanup.policy") == "delete"
    assert found.value("max.message.bytes") == "1048588"
    assert found.value("segment.bytes") == "1073741824"
    assert found.value("message.timestamp.type") == "CreateTime"


@pytest.mark.parametrize("keys", [[], None], ids=["empty", "null"])
def test_describe_with_an_empty_list_of_keys(connection, topic, keys):
    """The facts say that an empty list means all keys."""
    assert len(Described(connection, TOPIC, topic, keys).entries) >= 33


def test_describe_some_keys(connection, topic):
    assert set(Described(connection, TOPIC, topic, ["retention.ms", "no.such.key"]).entries) == {"retention.ms"}


def test_describe_refusals(connection):
    found = Described(connection, TOPIC, "nowhere")
    assert (found.error, found.message) == (3, "")
    assert Described(connection, BROKER, "77").error == 42


def test_describe_with_synonyms(connection, topic):
    alter(connection, TOPIC, topic, ("retention.ms", SET, "5000"))
    entry = Described(connection, TOPIC, topic, ["retention.ms"], synonyms=True, documentation=True).entries["retention.ms"]
    assert entry["source"] == 1 and entry["documentation"]
    assert entry["synonyms"] == [("retention.ms", "5000", 1)], "nothing is set for the broker"


def test_describe_a_broker(node, connection):
    found = Described(connection, BROKER, "1")
    assert found.value("node.id") == "1"
    assert (found.entries["node.id"]["read_only"], found.entries["node.id"]["source"]) == (True, 4)
    assert found.value("log.dirs") == str(node.data_dir)
    assert found.entries["num.io.threads"]["read_only"] is False
    assert Described(connection, BROKER, "").error == 0


def test_set_append_subtract_delete(connection, topic):
    def value():
        return Described(connection, TOPIC, topic, ["cleanup.policy"]).value("cleanup.policy")

    assert alter(connection, TOPIC, topic, ("cleanup.policy", SET, "compact")) == 0
    ask.wait_for(lambda: value() == "compact", "set")
    assert alter(connection, TOPIC, topic, ("cleanup.policy", APPEND, "delete")) == 0
    ask.wait_for(lambda: value() == "compact,delete", "appended")
    assert alter(connection, TOPIC, topic, ("cleanup.policy", SUBTRACT, "compact")) == 0
    ask.wait_for(lambda: value() == "delete", "subtracted")
    assert alter(connection, TOPIC, topic, ("cleanup.policy", DELETE, None)) == 0
    assert alter(connection, TOPIC, topic, ("cleanup.policy", DELETE, None)) == 0, "what is not set can be deleted"


def test_validate_only_changes_nothing(connection, topic):
    assert alter(connection, TOPIC, topic, ("retention.ms", SET, "5000"), validate_only=True) == 0
    assert Described(connection, TOPIC, topic, ["retention.ms"]).value("retention.ms") == "604800000"
    assert alter(connection, TOPIC, topic, ("retention.ms", SET, "soon"), validate_only=True) == 40


@pytest.mark.parametrize("error, changes", [
    (40, [("no.such.key", SET, "1")]), (40, [("retention.ms", SET, "soon")]), (42, [("retention.ms", SET, None)]),
    (40, [("retention.ms", APPEND, "1")]), (0, [("cleanup.policy", SUBTRACT, "delete")]), (-1, [("retention.ms", 9, "1")]),
    (42, [("retention.ms", SET, "1"), ("retention.ms", SET, "2")]),
], ids=str)
def test_alter_a_topic(node, connection, topic, error, changes):
    answered = alter(connection, TOPIC, topic, *changes)
    assert answered == error or (error == -1 and node.kind == "barnabas" and answered == 42)


def test_alter_what_is_not_there(connection):
    assert alter(connection, TOPIC, "nowhere", ("retention.ms", SET, "1")) == 3
    for kind in (0, 77):
        assert alter(connection, kind, "x", ("a", SET, "1")) == 42


@pytest.mark.parametrize("error, name, change", [
    (42, "1", ("node.id", SET, "2")), (42, "1", ("log.dirs", SET, "/x")), (42, "", ("listeners", SET, "PLAINTEXT://:1")),
    (42, "77", ("message.max.bytes", SET, "1000000")), (42, "1", ("num.io.threads", SET, "1")), (42, "1", ("num.io.threads", SET, "99")),
    (0, "1", ("message.max.bytes", SET, "2000000")), (0, "1", ("message.max.bytes", DELETE, None)),
    (0, "", ("log.retention.ms", SET, "123456789")), (0, "", ("log.retention.ms", DELETE, None)),
], ids=str)
def test_alter_a_broker(connection, error, name, change):
    assert alter(connection, BROKER, name, change) == error


def test_a_default_of_the_cluster_shows_in_topics(connection, topic):
    def entry():
        found = Described(connection, TOPIC, topic, ["retention.ms"]).entries["retention.ms"]
        return found["value"], found["source"]

    assert alter(connection, BROKER, "", ("log.retention.ms", SET, "777777777")) == 0
    ask.wait_for(lambda: entry() == ("777777777", 3), "the default of the cluster")
    assert alter(connection, BROKER, "", ("log.retention.ms", DELETE, None)) == 0
    ask.wait_for(lambda: entry()[1] == 5, "the default again")


@pytest.mark.parametrize("error, kind, name, change", [
    (42, GROUP, "", ("consumer.session.timeout.ms", SET, "50000")), (40, GROUP, "g", ("consumer.session.timeout.ms", SET, "1")),
    (0, GROUP, "g", ("consumer.session.timeout.ms", SET, "50000")), (0, CLIENT_METRICS, "m", ("interval.ms", SET, "30000")),
    (40, CLIENT_METRICS, "m", ("match", SET, "no.such=x")),
], ids=str)
def test_alter_groups_and_client_metrics(connection, error, kind, name, change):
    assert alter(connection, kind, name, change) == error


def test_the_old_alter_configs_replaces_all(connection, topic):
    alter(connection, TOPIC, topic, ("retention.ms", SET, "5000"))
    body = Writer().carray([topic], lambda w, n: w.i8(TOPIC).cstring(n).carray(
        [("segment.ms", "60000")], lambda w2, c: w2.cstring(c[0]).cstring(c[1]).tags()).tags()).boolean(False).tags()
    answer = connection.call(wire.ALTER_CONFIGS, 2, body)
    answer.i32()
    assert answer.carray(lambda r: (r.i16(), r.cstring(), r.i8(), r.cstring(), r.tags()))[0][0] == 0

    def dynamic():
        return {n: e["value"] for n, e in Described(connection, TOPIC, topic).entries.items() if e["source"] == 1}
    ask.wait_for(lambda: dynamic() == {"segment.ms": "60000"}, "only the new key is set")


# DescribeLogDirs, DescribeProducers

def test_describe_log_dirs(node, connection, topic):
    ask.produce(node, topic, 0, data := batch.batch(b"abc"))
    body = Writer().carray([topic], lambda w, t: w.cstring(t).carray([0], Writer.i32).tags()).tags()
    answer = connection.call(wire.DESCRIBE_LOG_DIRS, 4, body)
    assert (answer.i32(), answer.i16()) == (0, 0)

    def partition(r):
        row = r.i32(), r.i64(), r.i64(), r.boolean()
        r.tags()
        return row

    def directory(r):
        row = r.i16(), r.cstring(), r.carray(lambda t: (t.cstring(), t.carray(partition), t.tags())), r.i64(), r.i64()
        r.tags()
        return row

    rows = answer.carray(directory)
    assert [(row[0], row[1]) for row in rows] == [(0, str(node.data_dir))]
    assert [(t, p) for t, p, _ in rows[0][2]] == [(topic, [(0, len(data), 0, False)])]
    assert 0 < rows[0][4] <= rows[0][3], "usable and total bytes of the volume"


def test_describe_producers(node, connection, topic):
    ask.produce(node, topic, 0, batch.batch(b"a", b"b", producer_id=4711, producer_epoch=3, base_sequence=7))
    body = Writer().carray([topic, "nowhere"], lambda w, t: w.cstring(t).carray([0], Writer.i32).tags()).tags()
    answer = connection.call(wire.DESCRIBE_PRODUCERS, 0, body)
    answer.i32()

    def partition(r):
        row = r.i32(), r.i16(), r.cstring(), r.carray(lambda p: (p.i64(), p.i32(), p.i32(), p.i64(), p.i32(), p.i64(), p.tags()))
        r.tags()
        return row

    rows = {t: p[0] for t, p, _ in answer.carray(lambda r: (r.cstring(), r.carray(partition), r.tags()))}
    assert rows["nowhere"][1] == 3
    [(pid, epoch, last_sequence, last_timestamp, coordinator_epoch, transaction_start, _)] = rows[topic][3]
    assert (rows[topic][1], pid, epoch, last_sequence, coordinator_epoch, transaction_start) == (0, 4711, 3, 8, -1, -1)
    assert last_timestamp > 0


# Loggers that both have; Kafka names many more.
@pytest.mark.parametrize("error, name, changes", [
    (0, "1", [("root", SET, "INFO")]), (0, "1", [("kafka.request.logger", SET, "WARN")]),
    (0, "1", [("kafka.request.logger", DELETE, None)]), (42, "1", [("root", DELETE, None)]), (40, "1", [("root", SET, "LOUD")]),
    (40, "1", [("root", SET, "info")]), (40, "1", [("no.such.logger", SET, "INFO")]), (40, "1", [("no.such.logger", DELETE, None)]),
    (42, "1", [("root", APPEND, "INFO")]), (42, "1", [("root", SUBTRACT, "INFO")]), (42, "1", [("root", SET, None)]),
    (42, "77", [("root", SET, "INFO")]), (42, "", [("root", SET, "INFO")]), (42, "1", [("root", SET, "INFO"), ("root", SET, "WARN")]),
], ids=str)
def test_alter_loggers(connection, error, name, changes):
    assert alter(connection, LOGGER, name, *changes) == error


def test_a_logger_shows_the_level_it_was_given_and_is_not_kept_in_the_metadata(connection):
    def level():
        return Described(connection, LOGGER, "1", ["kafka.request.logger"]).entries["kafka.request.logger"]["value"]

    assert alter(connection, LOGGER, "1", ("kafka.request.logger", SET, "ERROR"), validate_only=True) == 0
    assert level() == "INFO"
    assert alter(connection, LOGGER, "1", ("kafka.request.logger", SET, "ERROR")) == 0
    entry = Described(connection, LOGGER, "1", ["kafka.request.logger"]).entries["kafka.request.logger"]
    assert (entry["value"], entry["source"], entry["read_only"], entry["sensitive"]) == ("ERROR", 6, False, False)
    assert alter(connection, LOGGER, "1", ("kafka.request.logger", DELETE, None)) == 0
    assert level() == "INFO"


def test_a_broker_described_by_its_controller_listener(node, connection):
    with node.connect(timeout=20, port=node.controller_port) as controller:
        assert alter(connection, BROKER, "1", ("message.max.bytes", SET, "1234567")) == 0
        ask.wait_for(lambda: Described(controller, BROKER, "1").value("message.max.bytes") == "1234567", "the change shows there")
        there, here = Described(controller, BROKER, "1", synonyms=True), Described(connection, BROKER, "1", synonyms=True)
        assert there.entries == here.entries
        assert Described(controller, BROKER, "").entries == Described(connection, BROKER, "").entries
        assert Described(controller, BROKER, "77").error == 42
        assert Described(controller, LOGGER, "1", ["root"]).entries == Described(connection, LOGGER, "1", ["root"]).entries
        assert alter(controller, LOGGER, "1", ("kafka.request.logger", SET, "INFO")) == 0
    assert alter(connection, BROKER, "1", ("message.max.bytes", DELETE, None)) == 0

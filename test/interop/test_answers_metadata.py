"""What Metadata, the topic requests and DescribeCluster answer."""

import random
import uuid

import pytest

from rig import ask, batch, wire
from rig.wire import Writer

ZERO = uuid.UUID(int=0)


@pytest.fixture
def connection(node):
    with node.connect(timeout=40) as connection:
        yield connection


@pytest.fixture(scope="module")
def made():
    return {}


@pytest.fixture
def topic(node, made):
    if node.kind not in made:
        made[node.kind] = f"metadata-{random.randint(0, 1 << 30)}"
        ask.create_topic(node, made[node.kind], 2)
    return made[node.kind]


def fresh(prefix="topic"):
    return f"{prefix}-{random.randint(0, 1 << 40)}"


# Metadata

class Metadata:
    def __init__(self, connection, topics, version=12, create=False):
        """topics: names, ids or (id, name) pairs; None asks for all."""
        body = Writer()

        def put(w, t):
            topic_id, name = t if isinstance(t, tuple) else (t, None) if isinstance(t, uuid.UUID) else (ZERO, t)
            if version >= 10:
                w.uuid(topic_id)
            w.cstring(name).tags()

        body.carray(topics, put).boolean(create)
        if 8 <= version <= 10:
            body.boolean(False)
        body.boolean(False).tags()
        answer = connection.call(wire.METADATA, version, body)
        assert answer.i32() == 0
        self.brokers = answer.carray(lambda r: (r.i32(), r.cstring(), r.i32(), r.cstring(), r.tags())[:4])
        self.cluster_id, self.controller = answer.cstring(), answer.i32()

        def partition(r):
            row = r.i16(), r.i32(), r.i32(), r.i32(), r.carray(wire.Reader.i32), r.carray(wire.Reader.i32), r.carray(wire.Reader.i32)
            r.tags()
            return row

        def topic(r):
            row = r.i16(), r.cstring(), r.uuid() if version >= 10 else ZERO, r.boolean(), r.carray(partition), r.i32()
            r.tags()
            return row

        self.topics = answer.carray(topic)
        if 8 <= version <= 10:
            answer.i32()
        self.error = answer.i16() if version >= 13 else 0
        answer.tags()
        answer.finish()

    def rows(self):
        return [(error, name) for error, name, *_ in self.topics]


def test_metadata_of_one_topic(node, connection, topic):
    for version in range(9, 14):
        found = Metadata(connection, [topic], version)
        assert found.brokers == [(1, "127.0.0.1", node.port, None)]
        assert (found.controller, found.error) == (1, 0)
        assert found.cluster_id
        error, name, topic_id, internal, partitions, operations = found.topics[0]
        assert (error, name, internal, operations) == (0, topic, False, -2**31)
        assert (topic_id != ZERO) == (version >= 10)
        assert sorted(p[:3] + tuple(map(tuple, p[4:])) for p in partitions) == [(0, 0, 1, (1,), (1,), ()), (0, 1, 1, (1,), (1,), ())]


def test_null_is_all_topics_and_empty_is_none(connection, topic):
    assert (0, topic) in Metadata(connection, None).rows()
    assert Metadata(connection, []).rows() == []


def test_metadata_0_with_an_empty_list_is_all_topics(connection, topic):
    answer = connection.call(wire.METADATA, 0, Writer().array([], Writer.string))
    assert topic.encode() in answer.rest()


def test_an_unknown_topic(connection):
    for version in (9, 12):
        error, name, topic_id, _, partitions, _ = Metadata(connection, ["nowhere"], version).topics[0]
        assert (error, name, topic_id, partitions) == (3, "nowhere", ZERO, [])


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("name", ["", ".", "a/b", "x" * 250], ids=["empty", "dot", "slash", "250"])
def test_an_invalid_name(connection, name, create):
    assert Metadata(connection, [name], create=create).rows() == [(17, name)]


def test_a_topic_is_made_by_asking_for_it(node, connection):
    name = fresh("auto")
    assert Metadata(connection, [name], create=True).rows() == [(3, name)]
    ask.wait_for(lambda: ask.topic_partitions(node, name) == 1, "the topic is made")


def test_metadata_3_makes_topics_without_being_asked_to(node, connection):
    name = fresh("auto3")
    connection.call(wire.METADATA, 3, Writer().array([name], Writer.string))
    ask.wait_for(lambda: ask.topic_partitions(node, name) == 1, "the topic is made")


def test_a_colliding_name_is_never_made(node, connection):
    name = f"auto.{random.randint(0, 1 << 30)}"
    ask.create_topic(node, name, 1)
    collides = name.replace(".", "_")
    for _ in range(3):
        assert Metadata(connection, [collides], create=True).rows() == [(3, collides)]


def test_topic_ids(node, connection, topic):
    topic_id = Metadata(connection, [topic]).topics[0][2]
    assert Metadata(connection, [topic_id]).rows() == [(0, topic)]
    assert Metadata(connection, [uuid.UUID(int=99)]).rows() == [(100, None)]
    assert Metadata(connection, [(topic_id, "another-name")]).rows() == [(0, topic)], "the id wins"
    assert Metadata(connection, [topic_id, "nowhere"]).rows() == [(0, topic)], "names beside ids are not answered"


def test_the_same_name_twice_is_one_row(connection, topic):
    assert Metadata(connection, [topic, topic]).rows() == [(0, topic)]


@pytest.mark.parametrize("version", range(0, 9))
def test_the_old_versions_of_metadata(node, connection, topic, version):
    body = Writer().array([topic], Writer.string)
    if version >= 4:
        body.boolean(False)
    if version >= 8:
        body.boolean(False).boolean(False)
    answer = connection.call(wire.METADATA, version, body)
    if version >= 3:
        assert answer.i32() == 0
    brokers = answer.array(lambda r: (r.i32(), r.string(), r.i32(), r.string() if version >= 1 else None))
    assert brokers == [(1, "127.0.0.1", node.port, None)]
    if version >= 2:
        assert answer.string()
    if version >= 1:
        assert answer.i32() == 1

    def partition(r):
        row = r.i16(), r.i32(), r.i32()
        if version >= 7:
            r.i32()
        return row + (r.array(wire.Reader.i32), r.array(wire.Reader.i32), r.array(wire.Reader.i32) if version >= 5 else None)

    def row(r):
        found = r.i16(), r.string(), r.boolean() if version >= 1 else None, r.array(partition)
        if version >= 8:
            r.i32()
        return found

    rows = answer.array(row)
    if version >= 8:
        answer.i32()
    answer.finish()
    assert [(r[0], r[1], len(r[3])) for r in rows] == [(0, topic, 2)]


# DescribeCluster, DescribeTopicPartitions

def test_describe_cluster(node, connection):
    answer = connection.call(wire.DESCRIBE_CLUSTER, 2, Writer().boolean(True).i8(1).boolean(True).tags())
    assert (answer.i32(), answer.i16(), answer.cstring(), answer.i8()) == (0, 0, None, 1)
    assert answer.cstring() and answer.i32() == 1
    brokers = answer.carray(lambda r: (r.i32(), r.cstring(), r.i32(), r.cstring(), r.boolean(), r.tags()))
    assert brokers == [(1, "127.0.0.1", node.port, None, False, {})]
    assert answer.i32() == 8096
    answer.tags(), answer.finish()


@pytest.mark.parametrize("endpoint, error", [(2, 114), (9, 115)])
def test_describe_cluster_of_other_endpoints(connection, endpoint, error):
    answer = connection.call(wire.DESCRIBE_CLUSTER, 1, Writer().boolean(False).i8(endpoint).tags())
    assert (answer.i32(), answer.i16()) == (0, error) and answer.cstring()


def describe_partitions(connection, names, limit=2000, cursor=None):
    body = Writer().carray(names, lambda w, t: w.cstring(t).tags()).i32(limit)
    body.i8(-1) if cursor is None else body.i8(1).cstring(cursor[0]).i32(cursor[1]).tags()
    answer = connection.call(wire.DESCRIBE_TOPIC_PARTITIONS, 0, body.tags())
    answer.i32()

    def partition(r):
        row = r.i16(), r.i32(), r.i32(), r.i32()
        for _ in range(5):
            r.carray(wire.Reader.i32)
        r.tags()
        return row

    rows = answer.carray(lambda r: (r.i16(), r.cstring(), r.uuid(), r.boolean(), r.carray(partition), r.i32(), r.tags()))
    cursor = (answer.cstring(), answer.i32(), answer.tags())[:2] if answer.i8() == 1 else None
    answer.tags(), answer.finish()
    return [(row[0], row[1], [p[1] for p in row[4]]) for row in rows], cursor


def test_describe_topic_partitions(connection, topic):
    assert describe_partitions(connection, [topic]) == ([(0, topic, [0, 1])], None)
    assert describe_partitions(connection, ["nowhere"])[0] == [(3, "nowhere", [])]
    rows, _ = describe_partitions(connection, [])
    names = [name for _, name, _ in rows]
    assert topic in names and names == sorted(names)


def test_describe_topic_partitions_in_pieces(connection, topic):
    rows, cursor = describe_partitions(connection, [topic], limit=1)
    assert (rows, cursor) == ([(0, topic, [0])], (topic, 1))
    assert describe_partitions(connection, [topic], limit=1, cursor=cursor)[0] == [(0, topic, [1])]


# CreateTopics

def create(connection, *rows, version=7, timeout=30000, validate_only=False):
    """rows: (name, partitions, replicas, assignment {partition: brokers} or [(partition, brokers)], configs). [(error, has a message, partitions, replicas)]"""
    def put(w, row):
        name, partitions, replicas, assignment, configs = (row + ((), {}))[:5] if len(row) == 3 else (row + ({},))[:5]
        w.cstring(name).i32(partitions).i16(replicas)
        w.carray(list(assignment), lambda w2, a: w2.i32(a[0]).carray(a[1], Writer.i32).tags())
        w.carray(list(configs.items()), lambda w2, c: w2.cstring(c[0]).cstring(c[1]).tags()).tags()

    body = Writer().carray(rows, put).i32(timeout).boolean(validate_only).tags()
    answer = connection.call(wire.CREATE_TOPICS, version, body)
    assert answer.i32() == 0

    def read(r):
        name = r.cstring()
        if version >= 7:
            r.uuid()
        error, message = r.i16(), r.cstring()
        row = name, error, message is not None, r.i32(), r.i16()
        r.carray(lambda c: (c.cstring(), c.cstring(), c.boolean(), c.i8(), c.boolean(), c.tags()))
        r.tags()
        return row

    found = answer.carray(read)
    answer.tags(), answer.finish()
    return found


def test_create_tells_what_was_created(node, connection):
    name = fresh()
    assert create(connection, (name, 3, 1)) == [(name, 0, False, 3, 1)]
    defaulted = fresh()
    assert create(connection, (defaulted, -1, -1)) == [(defaulted, 0, False, 1, 1)]
    ask.wait_for(lambda: ask.topic_partitions(node, name) == 3, "the topic is there")


def test_validate_only_creates_nothing(node, connection):
    name = fresh()
    assert create(connection, (name, 3, 1), validate_only=True)[0][1] == 0
    assert ask.topic_partitions(node, name) is None


@pytest.mark.parametrize("validate_only", [False, True])
def test_create_what_exists(connection, topic, validate_only):
    assert create(connection, (topic, 1, 1), validate_only=validate_only) == [(topic, 36, True, -1, -1)]


@pytest.mark.parametrize("error, partitions, replicas, assignment, configs", [
    (37, 0, 1, (), {}), (37, -2, 1, (), {}), (38, 1, 0, (), {}), (38, 1, -2, (), {}), (38, 1, 2, (), {}), (44, 100001, 1, (), {}),
    (42, 1, -1, [(0, [1])], {}), (42, -1, 1, [(0, [1])], {}),
    (39, -1, -1, [(0, [1]), (2, [1])], {}), (39, -1, -1, [(0, [9])], {}), (39, -1, -1, [(0, [1, 1])], {}), (39, -1, -1, [(0, [])], {}),
    (39, -1, -1, [(0, [1]), (0, [1])], {}),
    (40, 1, 1, (), {"no.such.key": "1"}), (40, 1, 1, (), {"retention.ms": "soon"}), (40, 1, 1, (), {"min.insync.replicas": "0"}),
    (40, 1, 1, (), {"remote.storage.enable": "true"}), (40, 1, 1, (), {"message.format.version": "2.8"}), (40, 1, 1, (), {"retention.ms": None}),
    (0, 1, 1, (), {"cleanup.policy": ""}), (0, 1, 1, (), {"cleanup.policy": "compact,compact"}), (0, 1, 1, (), {"min.insync.replicas": "5"}),
    (0, 1, 1, (), {"internal.segment.bytes": "100"}), (0, -1, -1, [(0, [1]), (1, [1])], {}),
], ids=str)
def test_create_refusals(connection, error, partitions, replicas, assignment, configs):
    name = fresh()
    rows = create(connection, (name, partitions, replicas, assignment, configs))
    assert [(row[1], row[2]) for row in rows] == [(error, error != 0)]


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "ü", "x" * 250], ids=["empty", "dot", "dots", "space", "umlaut", "250"])
def test_create_with_an_invalid_name(connection, name):
    assert create(connection, (name, 1, 1))[0][1] == 17


def test_create_with_names_that_collide_or_repeat(connection):
    stem = random.randint(0, 1 << 30)
    assert create(connection, (f"ct.{stem}", 1, 1))[0][1] == 0
    assert create(connection, (f"ct_{stem}", 1, 1))[0][1] == 17
    twice = fresh()
    assert [row[:2] for row in create(connection, (twice, 1, 1), (twice, 2, 1))] == [(twice, 42)]
    assert create(connection, ("__cluster_metadata", 1, 1))[0][1] == 42


@pytest.mark.parametrize("timeout", [0, -1])
def test_create_without_time(connection, timeout):
    assert create(connection, (fresh(), 1, 1), timeout=timeout)[0][1:3] == (7, False)


# DeleteTopics, CreatePartitions, DeleteRecords

def delete(connection, *rows):
    body = Writer().carray(rows, lambda w, r: w.cstring(r[0]).uuid(r[1]).tags()).i32(10000).tags()
    answer = connection.call(wire.DELETE_TOPICS, 6, body)
    answer.i32()
    return [row[2] for row in answer.carray(lambda r: (r.cstring(), r.uuid(), r.i16(), r.cstring(), r.tags()))]


def test_delete(node, connection):
    first, second = fresh(), fresh()
    create(connection, (first, 1, 1), (second, 1, 1))
    second_id = ask.wait_for(lambda: next((t[2] for t in Metadata(connection, [second]).topics if t[0] == 0), None), "the topic is there")
    assert delete(connection, (first, ZERO)) == [0]
    assert delete(connection, (None, second_id)) == [0]
    ask.wait_for(lambda: ask.topic_partitions(node, first) is None and ask.topic_partitions(node, second) is None, "both are gone")
    assert create(connection, (first, 1, 1))[0][1] == 0, "the name is free again at once"


def test_delete_refusals(connection, topic):
    assert delete(connection, ("nowhere", ZERO)) == [3]
    assert delete(connection, (None, uuid.UUID(int=5))) == [100]
    assert delete(connection, (None, ZERO)) == [42]
    assert set(delete(connection, ("same", ZERO), ("same", ZERO))) == {42}


def create_partitions(connection, topic, count, assignment=None, validate_only=False):
    def put(w, t):
        w.cstring(t).i32(count).carray(assignment, lambda w2, a: w2.carray(a, Writer.i32).tags()).tags()

    answer = connection.call(wire.CREATE_PARTITIONS, 3, Writer().carray([topic], put).i32(10000).boolean(validate_only).tags())
    answer.i32()
    return [row[1] for row in answer.carray(lambda r: (r.cstring(), r.i16(), r.cstring(), r.tags()))]


def test_create_partitions(node, connection):
    name = fresh()
    ask.create_topic(node, name, 2)
    for count, assignment, error in ((2, None, 37), (1, None, 37), (4, [[1]], 39), (3, [[9]], 39)):
        assert create_partitions(connection, name, count, assignment) == [error], (count, assignment)
    assert create_partitions(connection, "nowhere", 3) == [3]
    assert create_partitions(connection, name, 4, validate_only=True) == [0]
    assert create_partitions(connection, name, 3) == [0]
    ask.wait_for(lambda: ask.topic_partitions(node, name) == 3, "there is one more")


def delete_records(connection, topic, offset, partition=0):
    """(low watermark, error)"""
    body = Writer().carray([topic], lambda w, t: w.cstring(t).carray([partition], lambda w2, p: w2.i32(p).i64(offset).tags()).tags())
    answer = connection.call(wire.DELETE_RECORDS, 2, body.i32(10000).tags())
    answer.i32()
    rows = answer.carray(lambda r: (r.cstring(), r.carray(lambda q: (q.i32(), q.i64(), q.i16(), q.tags())), r.tags()))
    return rows[0][1][0][1:3]


def test_delete_records(node, connection):
    name = fresh()
    ask.create_topic(node, name, 1)
    for _ in range(5):
        ask.produce(node, name, 0, batch.batch(b"a", b"b"))
    assert delete_records(connection, name, 3) == (3, 0)
    assert delete_records(connection, name, 1) == (3, 0), "below the start: the current one"
    assert delete_records(connection, name, 11)[1] == 1
    assert delete_records(connection, name, -2)[1] == 1
    assert delete_records(connection, name, -1) == (10, 0), "-1 is the high watermark"
    assert ask.offset(node, name, 0, -2) == 10
    assert delete_records(connection, name, 0, partition=4)[1] == 3
    assert delete_records(connection, "nowhere", 0)[1] == 3


def test_delete_records_where_they_must_stay(node, connection):
    ask.coordinator_ready(node, "delete-records")
    assert delete_records(connection, "__consumer_offsets", 0)[1] == 17
    name = fresh()
    ask.create_topic(node, name, 1, {"cleanup.policy": "compact"})
    assert delete_records(connection, name, 0)[1] == 44

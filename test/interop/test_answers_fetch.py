"""What Fetch, ListOffsets and OffsetForLeaderEpoch answer (Fetch version 12, without a session, unless said)."""

import random
import time
import uuid
from dataclasses import dataclass, field

import pytest

from rig import ask, batch, wire
from rig.wire import Writer


@dataclass
class Part:
    """A partition to be asked for."""
    index: int = 0
    offset: int = 0
    epoch: int = -1
    fetched_epoch: int = -1
    max_bytes: int = 1 << 20


@dataclass
class Found:
    index: int
    error: int
    high_watermark: int
    last_stable: int
    start: int
    aborted: list | None
    records: bytes | None
    tags: dict = field(default_factory=dict)


@dataclass
class Answer:
    error: int
    session: int
    topics: dict
    tags: dict = field(default_factory=dict)
    seconds: float = 0.0

    def one(self) -> Found:
        return next(iter(self.topics.values()))[0]


def fetch(connection, topics: dict, version=12, wait=500, min_bytes=1, max_bytes=50 << 20, isolation=0, session=(0, -1), replica=-1,
          forget=()) -> Answer:
    """topics: {name, or id from version 13 on: [Part]}"""
    body = Writer().i32(replica) if version < 15 else Writer()
    body.i32(wait).i32(min_bytes).i32(max_bytes).i8(isolation).i32(session[0]).i32(session[1])

    def name(w, t):
        w.uuid(t) if version >= 13 else w.cstring(t)

    def put(w, item):
        name(w, item[0])
        w.carray(item[1], lambda w2, p: w2.i32(p.index).i32(p.epoch).i64(p.offset).i32(p.fetched_epoch).i64(-1).i32(p.max_bytes).tags())
        w.tags()

    def put_forgotten(w, item):
        name(w, item[0])
        w.carray(item[1], Writer.i32).tags()

    body.carray(list(topics.items()), put).carray(list(forget), put_forgotten).cstring("").tags()
    began = time.monotonic()
    answer = connection.call(wire.FETCH, version, body)
    seconds = time.monotonic() - began
    assert answer.i32() == 0
    error, session_id = answer.i16(), answer.i32()

    def partition(r):
        found = Found(r.i32(), r.i16(), r.i64(), r.i64(), r.i64(),
                      r.carray(lambda a: (a.i64(), a.i64(), a.tags())), (r.i32(), r.cbytes())[1])
        found.tags = r.tags()
        return found

    def topic(r):
        row = (r.uuid() if version >= 13 else r.cstring()), r.carray(partition)
        r.tags()
        return row

    rows = dict(answer.carray(topic))
    tags = answer.tags()
    answer.finish()
    return Answer(error, session_id, rows, tags, seconds)


@pytest.fixture(scope="module")
def made():
    return {}


@pytest.fixture
def topic(node, made):
    """Ten batches of two records, offsets 0 to 19, each batch 70-some bytes."""
    if node.kind not in made:
        name = f"fetch-{random.randint(0, 1 << 30)}"
        ask.create_topic(node, name, 2)
        for i in range(10):
            assert ask.produce(node, name, 0, batch.batch(b"a", b"b", base_timestamp=1_000_000 + 10 * i)) == (0, 2 * i)
        made[node.kind] = name
    return made[node.kind]


@pytest.fixture
def empty(node, made):
    key = node.kind, "empty"
    if key not in made:
        made[key] = f"fetch-empty-{random.randint(0, 1 << 30)}"
        ask.create_topic(node, made[key], 1)
    return made[key]


@pytest.fixture
def connection(node):
    with node.connect() as connection:
        yield connection


def topic_id(node, name) -> uuid.UUID:
    body = Writer().carray([name], lambda w, t: w.uuid(uuid.UUID(int=0)).cstring(t).tags()).boolean(False).boolean(False).tags()
    with node.connect() as connection:
        answer = connection.call(wire.METADATA, 12, body)
        answer.i32()
        answer.carray(lambda r: (r.i32(), r.cstring(), r.i32(), r.cstring(), r.tags()))
        answer.cstring(), answer.i32()
        assert answer.uvarint() == 2, "one topic was asked for"
        assert (answer.i16(), answer.cstring()) == (0, name)
        return answer.uuid()


# Offsets

@pytest.mark.parametrize("offset", [21, -1])
def test_an_offset_out_of_range_is_told_at_once(connection, topic, offset):
    answer = fetch(connection, {topic: [Part(offset=offset)]}, wait=5000)
    found = answer.one()
    assert (found.error, found.high_watermark, found.last_stable, found.start) == (1, -1, -1, -1)
    assert answer.seconds < 3


def test_an_offset_in_the_middle_of_a_batch_gets_the_whole_batch(connection, topic):
    stored = batch.split(fetch(connection, {topic: [Part(offset=3)]}).one().records)
    assert stored[0].base_offset == 2


def test_watermarks_are_told(connection, topic):
    found = fetch(connection, {topic: [Part()]}).one()
    assert (found.high_watermark, found.last_stable, found.start) == (20, 20, 0)
    assert sum(b.count for b in batch.split(found.records)) == 20


# Unknown partitions, epochs, replicas

@pytest.mark.parametrize("name, index", [("nowhere", 0), (None, 9)])
def test_an_unknown_partition_is_told_at_once(connection, topic, name, index):
    answer = fetch(connection, {name or topic: [Part(index)]}, wait=5000)
    assert answer.one().error == 3 and answer.one().aborted in ([], None)
    assert answer.seconds < 3


@pytest.mark.parametrize("unknown", [uuid.UUID(int=0), uuid.UUID(int=77)])
def test_an_unknown_topic_id(connection, unknown):
    assert fetch(connection, {unknown: [Part()]}, version=13).one().error == 100


@pytest.mark.parametrize("epoch, error", [(9, 75), (-5, 0), (0, 0)])
def test_the_leader_epoch_of_the_client(connection, topic, epoch, error):
    assert fetch(connection, {topic: [Part(epoch=epoch)]}).one().error == error


@pytest.mark.parametrize("replica, error", [(1, 6), (55, 6), (-2, 0)])
def test_replicas_that_are_none(connection, topic, replica, error):
    assert fetch(connection, {topic: [Part()]}, replica=replica).one().error == error


def test_isolation_levels(connection, topic):
    assert fetch(connection, {topic: [Part()]}, isolation=0).one().aborted is None
    assert fetch(connection, {topic: [Part()]}, isolation=1).one().aborted == []


# Sizes

@pytest.mark.parametrize("limits", [{"max_bytes": 0}, {"part": 0}, {"part": 1}, {"max_bytes": 1}], ids=str)
def test_at_least_one_batch_comes_whole(connection, topic, limits):
    limits = dict(limits)
    part = Part(max_bytes=limits.pop("part", 1 << 20))
    stored = batch.split(fetch(connection, {topic: [part]}, **limits).one().records)
    assert [(b.base_offset, b.whole) for b in stored] == [(0, True)]


@pytest.mark.parametrize("limits", [{"max_bytes": 200}, {"part": 200}], ids=str)
def test_a_limit_cuts_inside_a_batch(connection, topic, limits):
    limits = dict(limits)
    part = Part(max_bytes=limits.pop("part", 1 << 20))
    data = fetch(connection, {topic: [part]}, **limits).one().records
    assert len(data) <= 200
    whole = [b.base_offset for b in batch.split(data) if b.whole]
    assert whole == [0, 2]


def test_two_partitions_share_max_bytes(node, connection, topic):
    if ask.offset(node, topic, 1) == 0:
        ask.produce(node, topic, 1, batch.batch(b"z"))
    answer = fetch(connection, {topic: [Part(0), Part(1)]}, max_bytes=1)
    sizes = [len(found.records or b"") for found in answer.topics[topic]]
    assert sizes[0] > 0 and sizes[1] == 0, "only the first partition with data gets its batch"


# Waiting

def test_at_the_end_the_answer_waits(connection, empty):
    answer = fetch(connection, {empty: [Part()]}, wait=300)
    assert answer.one().error == 0 and answer.seconds >= 0.25
    assert not answer.one().records


@pytest.mark.parametrize("limits", [{"min_bytes": 0, "wait": 5000}, {"wait": 0}, {"wait": -1}], ids=str)
def test_what_need_not_wait_does_not(connection, empty, limits):
    assert fetch(connection, {empty: [Part()]}, **limits).seconds < 3


def test_too_few_bytes_are_answered_after_the_wait(connection, topic):
    answer = fetch(connection, {topic: [Part()]}, min_bytes=10**9, max_bytes=2 * 10**9, wait=400)
    assert answer.seconds >= 0.35
    assert sum(b.count for b in batch.split(answer.one().records)) == 20


def test_min_bytes_above_max_bytes_counts_as_max_bytes(connection, topic):
    answer = fetch(connection, {topic: [Part()]}, min_bytes=10**6, max_bytes=100, wait=5000)
    assert answer.seconds < 3 and answer.one().records


def test_a_produce_ends_the_wait(node, connection, empty):
    end = ask.offset(node, empty, 0)
    body_sent = time.monotonic()
    with node.connect() as waiting:
        waiting.socket.settimeout(15)
        request = Writer().i32(-1).i32(10000).i32(1).i32(1 << 20).i8(0).i32(0).i32(-1)
        request.array([empty], lambda w, t: w.string(t).array([0], lambda w2, p: w2.i32(p).i32(-1).i64(end).i64(-1).i32(1 << 20)))
        waiting.post(wire.FETCH, 11, request.array([]).string(""))
        assert ask.produce(node, empty, 0, batch.batch(b"news")) == (0, end)
        assert b"news" in waiting.receive().rest()
    assert time.monotonic() - body_sent < 8


# Sessions

def start(connection, topics):
    answer = fetch(connection, topics, session=(0, 0))
    assert answer.error == 0 and answer.session > 0
    return answer.session


def test_a_session_sends_only_what_is_new(node, connection, empty):
    end = ask.offset(node, empty, 0)
    session = start(connection, {empty: [Part(offset=end)]})
    nothing = fetch(connection, {}, session=(session, 1), wait=100)
    assert (nothing.error, nothing.session, nothing.topics) == (0, session, {})
    ask.produce(node, empty, 0, batch.batch(b"1"))
    assert fetch(connection, {}, session=(session, 2)).topics[empty][0].high_watermark == end + 1


def test_a_wrong_session_epoch_does_not_end_the_session(connection, topic):
    session = start(connection, {topic: [Part(offset=20)]})
    for epoch in (5, 2):
        answer = fetch(connection, {}, session=(session, epoch), wait=10)
        assert (answer.error, answer.session, answer.topics) == (71, 0, {})
    assert fetch(connection, {}, session=(session, 1), wait=10).error == 0


def test_unknown_sessions(connection, topic):
    for session in ((123456, 1), (0, 5)):
        answer = fetch(connection, {topic: [Part()]}, session=session)
        assert (answer.error, answer.session, answer.topics) == (70, 0, {})
    assert fetch(connection, {topic: [Part()]}, session=(123456, -1)).error == 0, "epoch -1 is a fetch without a session"


def test_forgetting_the_last_partition_closes_the_session(connection, topic):
    session = start(connection, {topic: [Part(offset=20)]})
    answer = fetch(connection, {}, session=(session, 1), forget=[(topic, [0])], wait=10)
    assert (answer.error, answer.session) == (0, 0)
    assert fetch(connection, {}, session=(session, 2), wait=10).error == 70


def test_epoch_0_of_a_session_starts_another(connection, topic):
    first = start(connection, {topic: [Part(offset=20)]})
    second = fetch(connection, {topic: [Part(offset=20)]}, session=(first, 0), wait=10)
    assert second.error == 0 and second.session not in (0, first)
    assert fetch(connection, {}, session=(first, 1), wait=10).error == 70


def test_a_session_is_not_tied_to_its_connection(node, connection, topic):
    with node.connect() as other:
        session = start(other, {topic: [Part(offset=20)]})
    assert fetch(connection, {}, session=(session, 1), wait=10).error == 0


def test_an_error_is_repeated_in_a_session_until_forgotten(connection, topic):
    session = fetch(connection, {topic: [Part(offset=20), Part(9)]}, session=(0, 0), wait=10).session
    for epoch in (1, 2):
        answer = fetch(connection, {}, session=(session, epoch), wait=10)
        assert [(f.index, f.error) for f in answer.topics[topic]] == [(9, 3)]
    assert fetch(connection, {}, session=(session, 3), forget=[(topic, [9])], wait=10).topics == {}


def test_names_in_a_session_of_topic_ids(node, connection, topic):
    answer = fetch(connection, {topic_id(node, topic): [Part(offset=20)]}, version=17, session=(0, 0), wait=10)
    assert answer.error == 0
    assert fetch(connection, {topic: [Part(offset=20)]}, version=12, session=(answer.session, 1), wait=10).error == 106


@pytest.mark.parametrize("version", range(13, 19))
def test_fetch_by_topic_id(node, connection, topic, version):
    found = fetch(connection, {topic_id(node, topic): [Part()]}, version=version).one()
    assert (found.error, found.high_watermark) == (0, 20)


# ListOffsets

def list_offsets(connection, topic, timestamp, version=11, index=0, epoch=-1, replica=-1, twice=False):
    """[(error, timestamp, offset, epoch)]"""
    body = Writer().i32(replica).i8(0)
    body.carray([topic], lambda w, t: w.cstring(t).carray(
        [index] * (2 if twice else 1), lambda w2, p: w2.i32(p).i32(epoch).i64(timestamp).tags()).tags())
    if version >= 10:
        body.i32(1000)
    answer = connection.call(wire.LIST_OFFSETS, version, body.tags())
    answer.i32()
    rows = answer.carray(lambda r: (r.cstring(), r.carray(lambda q: (q.i32(), q.i16(), q.i64(), q.i64(), q.i32(), q.tags())), r.tags()))
    return [row[1:5] for row in rows[0][1]]


@pytest.fixture
def trimmed(node, made):
    """Log start 10, end 34, three records more or less each with its own timestamp."""
    key = node.kind, "trimmed"
    if key not in made:
        made[key] = name = f"list-{random.randint(0, 1 << 30)}"
        ask.create_topic(node, name, 1, {"retention.ms": "-1"})
        for i in range(17):
            ask.produce(node, name, 0, batch.batch(records=[batch.record(0), batch.record(1, timestamp_delta=1)],
                                                   base_timestamp=5000 + 10 * i, max_timestamp=5001 + 10 * i))
        body = Writer().array([name], lambda w, t: w.string(t).array([0], lambda w2, p: w2.i32(p).i64(10))).i32(5000)
        with node.connect() as connection:
            connection.call(wire.DELETE_RECORDS, 1, body)
    return made[key]


def test_list_offsets_of_special_timestamps(connection, trimmed):
    assert list_offsets(connection, trimmed, -1)[0][:3] == (0, -1, 34)
    assert list_offsets(connection, trimmed, -2)[0][:3] == (0, -1, 10)
    assert list_offsets(connection, trimmed, -3)[0][:3] == (0, 5161, 33)
    assert list_offsets(connection, trimmed, -4)[0][:3] == (0, -1, 10)
    assert list_offsets(connection, trimmed, -5)[0][:3] == (0, -1, -1)
    assert list_offsets(connection, trimmed, -6)[0][2] == -1
    assert list_offsets(connection, trimmed, -7)[0][0] == 35


@pytest.mark.parametrize("timestamp, version", [(-3, 6), (-4, 7), (-5, 8), (-6, 10)])
def test_a_special_timestamp_below_its_version(connection, trimmed, timestamp, version):
    assert list_offsets(connection, trimmed, timestamp, version)[0][0] == 35
    assert list_offsets(connection, trimmed, timestamp, version + 1)[0][0] == 0


def test_list_offsets_by_time(connection, trimmed):
    assert list_offsets(connection, trimmed, 10**15) == [(0, -1, -1, -1)]
    assert list_offsets(connection, trimmed, 0)[0][:3] == (0, 5050, 10)
    assert list_offsets(connection, trimmed, 5101)[0][:3] == (0, 5101, 21)


def test_list_offsets_refusals(connection, trimmed):
    assert list_offsets(connection, "nowhere", -1)[0][0] == 3
    assert list_offsets(connection, "nowhere", -7)[0][0] == 35
    assert list_offsets(connection, "nowhere", -3, version=6)[0][0] == 35
    assert list_offsets(connection, trimmed, -1, index=5)[0][0] == 3
    assert list_offsets(connection, trimmed, -1, epoch=9)[0][0] == 75
    assert [row[0] for row in list_offsets(connection, trimmed, -1, twice=True)] == [42]
    for replica in (1, 77):
        assert list_offsets(connection, trimmed, -1, replica=replica)[0][:3] == (0, -1, 34)


# OffsetForLeaderEpoch

@pytest.mark.parametrize("epoch, expected", [(0, (0, 0, 34)), (7, (0, -1, -1)), (-1, (0, -1, -1))])
def test_offset_for_leader_epoch(connection, trimmed, epoch, expected):
    body = Writer().i32(-1).array([trimmed], lambda w, t: w.string(t).array([0], lambda w2, p: w2.i32(p).i32(-1).i32(epoch)))
    answer = connection.call(wire.OFFSET_FOR_LEADER_EPOCH, 3, body)
    answer.i32()
    rows = answer.array(lambda r: (r.string(), r.array(lambda q: (q.i16(), q.i32(), q.i32(), q.i64()))))
    error, _, found, end = rows[0][1][0]
    assert (error, found, end) == expected

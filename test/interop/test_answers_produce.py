"""What Produce answers to batches right and wrong (version 9 unless said)."""

import gzip
import itertools
import random
import uuid

import pytest

from rig import ask, batch, wire
from rig.batch import CODECS, Batch, now_ms, record
from rig.wire import Writer

HOUR = 3600 * 1000
_pids = itertools.count(random.randint(1 << 20, 1 << 40))


class Answer:
    def __init__(self, error, base, append_time, start, record_errors, message):
        self.error, self.base, self.append_time, self.start = error, base, append_time, start
        self.record_errors, self.message = record_errors, message


def produce(node, topic, data, version=9, acks=-1, partition=0, transactional_id=None) -> Answer:
    with node.connect() as connection:
        return produce_on(connection, topic, data, version, acks, partition, transactional_id)


def produce_on(connection, topic, data, version=9, acks=-1, partition=0, transactional_id=None):
    compact = version >= 9
    body = Writer()
    body.cstring(transactional_id) if compact else body.string(transactional_id)
    body.i16(acks).i32(10000)

    def put_partition(w, p):
        w.i32(p).cbytes(data).tags() if compact else w.i32(p).bytes(data)

    def put_topic(w, t):
        if version >= 13:
            w.uuid(t).carray([partition], put_partition).tags()
        elif compact:
            w.cstring(t).carray([partition], put_partition).tags()
        else:
            w.string(t).array([partition], put_partition)

    body.carray([topic], put_topic).tags() if compact else body.array([topic], put_topic)
    answer = connection.call(wire.PRODUCE, version, body)
    rows = (answer.carray if compact else answer.array)(lambda r: _topic_row(r, version, compact))
    assert answer.i32() == 0  # throttle time
    if compact:
        answer.tags()
    answer.finish()
    assert connection.usable()
    return rows[0]


def _topic_row(r, version, compact):
    r.uuid() if version >= 13 else r.cstring() if compact else r.string()
    rows = (r.carray if compact else r.array)(lambda q: _partition_row(q, version, compact))
    if compact:
        r.tags()
    return rows[0]


def _partition_row(r, version, compact):
    r.i32()
    error, base, append_time, start = r.i16(), r.i64(), r.i64(), r.i64() if version >= 5 else None
    errors, message = [], None
    if version >= 8:
        def one(q):
            found = q.i32(), q.cstring() if compact else q.string()
            if compact:
                q.tags()
            return found
        errors = (r.carray if compact else r.array)(one)
        message = r.cstring() if compact else r.string()
    if compact:
        r.tags()
    return Answer(error, base, append_time, start, errors, message)


@pytest.fixture(scope="module")
def topics():
    return {}


@pytest.fixture
def topic(node, topics):
    """One topic for all tests that only see what is refused or where a batch lands."""
    if node.kind not in topics:
        topics[node.kind] = f"produce-{random.randint(0, 1 << 30)}"
        ask.create_topic(node, topics[node.kind], 1)
    return topics[node.kind]


def own_topic(node, **configs):
    name = f"produce-own-{random.randint(0, 1 << 30)}"
    ask.create_topic(node, name, 1, {k.replace("_", "."): v for k, v in configs.items()})
    return name


def refused(answer: Answer, error: int):
    assert answer.error == error
    assert (answer.base, answer.append_time) == (-1, -1)


# Right ones

def test_a_good_batch_gets_the_next_offset(node):
    topic = own_topic(node)
    for version in range(3, 13):
        answer = produce(node, topic, batch.batch(b"a", b"b"), version)
        assert (answer.error, answer.base, answer.append_time) == (0, 2 * (version - 3), -1)
        assert answer.start in (0, None) and answer.record_errors == [] and answer.message is None


@pytest.mark.parametrize("fields", [
    {"leader_epoch": 99}, {"attributes": 0x40}, {"attributes": 0x100}, {"base_timestamp": -1}, {"base_timestamp": 0},
    {"producer_id": -1, "base_sequence": 3},
], ids=str)
def test_odd_fields_that_are_accepted(node, topic, fields):
    assert produce(node, topic, batch.batch(b"a", **fields)).error == 0


def test_the_leader_epoch_of_the_batch_is_overwritten(node):
    topic = own_topic(node)
    produce(node, topic, batch.batch(b"a", leader_epoch=99))
    assert ask.batches(node, topic, 0)[0].leader_epoch == 0


def test_log_append_time_from_a_client_is_cleared(node):
    topic = own_topic(node)
    assert produce(node, topic, batch.batch(b"a", attributes=0x08)).error == 0
    assert ask.batches(node, topic, 0)[0].attributes == 0


def test_bytes_after_the_batch_are_ignored(node, topic):
    assert produce(node, topic, batch.batch(b"a") + b"extra").error == 0


def test_offset_deltas_of_an_uncompressed_batch_are_stored_as_sent(node):
    topic = own_topic(node)
    assert produce(node, topic, batch.batch(records=[record(0), record(0)])).error == 0
    assert produce(node, topic, batch.batch(records=[record(1), record(0)])).error == 0
    assert [b.offsets() for b in ask.batches(node, topic, 0)] == [[0, 0], [3, 2]]


def test_a_wrong_max_timestamp_in_the_header_is_corrected(node):
    topic, now = own_topic(node), now_ms()
    assert produce(node, topic, batch.batch(b"a", base_timestamp=now, max_timestamp=now + 3 * HOUR)).error == 0
    assert ask.batches(node, topic, 0)[0].max_timestamp == now  # batches() has checked the checksum


# Wrong ones, refused before the log is asked

@pytest.mark.parametrize("error, data", [
    (87, b""),
    (2, batch.batch(b"a", crc=1)),
    (87, batch.batch(b"a", magic=0)),
    (87, batch.batch(b"a", magic=1)),
    (2, batch.batch(b"a", magic=3)),
    (2, batch.batch(b"a", magic=-1)),
    (87, batch.batch(b"a", length=5000)),
    (2, batch.batch(b"a", length=10)),
    (87, batch.batch(b"a") + batch.batch(b"b")),
], ids=["empty", "crc", "magic0", "magic1", "magic3", "magic-1", "length beyond", "length 10", "two batches"])
def test_what_is_no_batch_is_refused(node, topic, error, data):
    refused(produce(node, topic, data), error)


def test_records_null(node, topic):
    """Kafka never answers and the connection is stuck for good. Ours says what is wrong."""
    body = Writer().cstring(None).i16(-1).i32(1000)
    body.carray([topic], lambda w, t: w.cstring(t).carray([0], lambda w2, p: w2.i32(p).cbytes(None).tags()).tags()).tags()
    with node.connect(timeout=1) as connection:
        if node.kind == "kafka":
            with pytest.raises(wire.NoAnswer):
                connection.call(wire.PRODUCE, 9, body)
            return
        try:
            answer = connection.call(wire.PRODUCE, 9, body)
        except wire.Closed:
            return
        assert answer.carray(lambda r: _topic_row(r, 9, True))[0].error == 87


# Wrong ones, refused by validation

@pytest.mark.parametrize("fields", [
    {"base_offset": 77},
    {"count": 2}, {"count": 0}, {"count": -1}, {"last_offset_delta": -1}, {"last_offset_delta": 5},
    {"payload": record(0) + b"abc"},
    {"records": [record(0, size_error=50)]},
    {"attributes": 0x20},
    {"attributes": 1, "payload": gzip.compress(record(0)), "count": 2, "last_offset_delta": 1},
    {"attributes": 1, "payload": gzip.compress(record(0) + record(1)), "count": 1},
    {"attributes": 1, "payload": gzip.compress(record(0) + b"rubbish")},
    {"producer_id": 77, "producer_epoch": 0, "base_sequence": -1},
    {"producer_id": 77, "producer_epoch": -1, "base_sequence": -1},
], ids=lambda f: ",".join(f"{k}={str(v)[:14]}" for k, v in f.items()))
def test_an_inconsistent_batch_is_an_invalid_record(node, topic, fields):
    refused(produce(node, topic, Batch(**fields).encode()), 87)


@pytest.mark.parametrize("fields", [
    {"attributes": 1, "records": [record(0), record(0), record(0)]},
    {"attributes": 5}, {"attributes": 7},
    {"attributes": 1, "payload": b"garbage"}, {"attributes": 2, "payload": b"garbage"},
    {"attributes": 3, "payload": b"garbage"}, {"attributes": 4, "payload": b"garbage"},
], ids=["gzip deltas", "codec 5", "codec 7", "gzip", "snappy", "lz4", "zstd"])
def test_garbage_in_the_payload_is_refused(node, topic, fields):
    """Kafka answers UNKNOWN_SERVER_ERROR; an answer that says what is wrong is as good."""
    answer = produce(node, topic, Batch(**fields).encode())
    assert answer.error in ({-1} if node.kind == "kafka" else {-1, 2, 87, 76})
    assert answer.base == -1


def test_zstd_needs_produce_7(node, topic):
    data = Batch(attributes=CODECS["zstd"], payload=b"x").encode()
    assert produce(node, topic, data, version=3).error == 76


def test_gzip_into_a_zstd_topic_is_recompressed(node):
    topic = own_topic(node, compression_type="zstd")
    assert produce(node, topic, batch.batch(b"a", b"b", attributes=CODECS["gzip"])).error == 0
    stored = ask.batches(node, topic, 0)
    assert [(b.codec, b.count) for b in stored] == [("zstd", 2)]


@pytest.mark.parametrize("acks", [2, -2])
def test_other_acks_are_refused(node, topic, acks):
    assert produce(node, topic, batch.batch(b"a"), acks=acks).error == 21


@pytest.mark.parametrize("name, partition, error", [
    ("nowhere-to-be-found", 0, 3), ("bad/name", 0, 3), (None, 7, 3), (None, -1, 3), ("__cluster_metadata", 0, 3),
])
def test_an_unknown_partition(node, topic, name, partition, error):
    refused(produce(node, name or topic, batch.batch(b"a"), partition=partition), error)


def test_internal_topics_are_not_written_by_clients(node):
    ask.coordinator_ready(node, "produce-internal")
    refused(produce(node, "__consumer_offsets", batch.batch(b"a")), 17)


@pytest.mark.parametrize("topic_id", [uuid.uuid4(), uuid.UUID(int=0), uuid.UUID(int=1)], ids=["unknown", "zero", "metadata"])
def test_an_unknown_topic_id(node, topic_id):
    refused(produce(node, topic_id, batch.batch(b"a"), version=13), 100)


def test_max_message_bytes_counts_the_whole_batch(node):
    topic = own_topic(node, max_message_bytes=1000)

    def of_size(size):
        plain = len(batch.batch(b""))
        for value in range(size - plain - 8, size - plain + 1):
            data = batch.batch(b"x" * value)
            if len(data) == size:
                return data
        raise AssertionError(size)

    assert produce(node, topic, of_size(999)).error == 0
    answer = produce(node, topic, of_size(1068))
    refused(answer, 10)
    assert answer.start == -1


@pytest.mark.parametrize("attributes", [0, CODECS["gzip"]])
def test_a_null_key_in_a_compacted_topic_refuses_the_whole_batch(node, attributes):
    topic = own_topic(node, cleanup_policy="compact")
    answer = produce(node, topic, batch.batch(records=[record(0), record(1, key=None), record(2)], attributes=attributes))
    refused(answer, 87)
    assert answer.message and [index for index, _ in answer.record_errors] == [1]
    assert produce(node, topic, batch.batch(records=[record(0, value=None)], attributes=attributes)).base == 0


def test_timestamps_out_of_range(node):
    topic = own_topic(node, message_timestamp_before_max_ms=HOUR)
    for timestamp in (now_ms() - 2 * HOUR, now_ms() + 2 * HOUR):
        answer = produce(node, topic, batch.batch(b"a", b"b", base_timestamp=timestamp))
        refused(answer, 32)
        assert answer.message and [index for index, _ in answer.record_errors] == [0, 1]


def test_log_append_time_is_told(node):
    topic = own_topic(node, message_timestamp_type="LogAppendTime")
    before = now_ms()
    answer = produce(node, topic, batch.batch(b"a", base_timestamp=before + 2 * HOUR))
    assert answer.error == 0 and before <= answer.append_time <= now_ms()
    stored = ask.batches(node, topic, 0)[0]
    assert stored.attributes & 0x08 and stored.max_timestamp == answer.append_time


# Idempotence

def idempotent(pid, sequence, count=1, epoch=0):
    return batch.batch(*[b"v"] * count, producer_id=pid, producer_epoch=epoch, base_sequence=sequence)


@pytest.mark.parametrize("first", [0, 9])
def test_an_unknown_producer_may_start_with_any_sequence(node, topic, first):
    assert produce(node, topic, idempotent(next(_pids), first)).error == 0


def test_a_duplicate_of_the_last_five_batches_gets_its_offset_again(node):
    topic, pid = own_topic(node), next(_pids)
    sent = [idempotent(pid, 2 * i, 2) for i in range(6)]
    assert [produce(node, topic, data).base for data in sent] == [0, 2, 4, 6, 8, 10]
    for i in (5, 3, 1):
        again = produce(node, topic, sent[i])
        assert (again.error, again.base) == (0, 2 * i)
        assert again.append_time > 0, "the time of the original"
    assert produce(node, topic, sent[0]).error == 45, "older than five batches"
    assert ask.offset(node, topic, 0) == 12


def test_a_gap_and_an_old_epoch_are_refused(node, topic):
    pid = next(_pids)
    assert produce(node, topic, idempotent(pid, 0, epoch=5)).error == 0
    refused(produce(node, topic, idempotent(pid, 2, epoch=5)), 45)
    refused(produce(node, topic, idempotent(pid, 1, epoch=4)), 47)
    refused(produce(node, topic, idempotent(pid, 1, epoch=6)), 45)
    assert produce(node, topic, idempotent(pid, 0, epoch=6)).error == 0


def test_sequences_wrap_to_zero(node, topic):
    pid = next(_pids)
    assert produce(node, topic, idempotent(pid, 2**31 - 1, 2)).error == 0
    assert produce(node, topic, idempotent(pid, 1)).error == 0
    refused(produce(node, topic, idempotent(pid, 3)), 45)


def test_a_transactional_batch_without_a_transactional_id(node, topic):
    for pid in (next(_pids), -1):
        data = batch.batch(b"a", attributes=0x10, producer_id=pid, producer_epoch=0 if pid > 0 else -1, base_sequence=0 if pid > 0 else -1)
        refused(produce(node, topic, data), 53)


def test_init_producer_id_gives_another_id_each_time(node):
    def init(connection):
        answer = connection.call(wire.INIT_PRODUCER_ID, 4, Writer().cstring(None).i32(0).i64(55).i16(3).tags())
        answer.i32()
        return answer.i16(), answer.i64(), answer.i16()

    with node.connect() as connection:
        ask.wait_for(lambda: init(connection)[0] == 0, "a block of ids is there")
        first, second = init(connection), init(connection)
    assert first[0] == second[0] == 0 and first[2] == second[2] == 0
    assert second[1] == first[1] + 1

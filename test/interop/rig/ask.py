"""Plain questions to a node, asked with the rig's own codec: what a test needs to know besides what the clients say."""

import time

from rig import batch, wire
from rig.wire import Writer


def topic_partitions(node, topic: str) -> int | None:
    """How many partitions the topic has; None if there is no such topic."""
    with node.connect() as connection:
        body = Writer().array([topic], Writer.string).boolean(False)
        answer = connection.call(wire.METADATA, 4, body)
        answer.i32()
        answer.array(lambda r: (r.i32(), r.string(), r.i32(), r.string()))
        answer.string(), answer.i32()

        def partition(r):
            return r.i16(), r.i32(), r.i32(), r.array(wire.Reader.i32), r.array(wire.Reader.i32)

        rows = answer.array(lambda r: (r.i16(), r.string(), r.boolean(), r.array(partition)))
        answer.finish()
    error, _, _, partitions = rows[0]
    return len(partitions) if error == 0 else None


def create_topic(node, topic: str, partitions: int = 3, configs: dict | None = None) -> None:
    body = Writer()

    def put(w, name):
        w.string(name).i32(partitions).i16(1).array([])
        w.array(list((configs or {}).items()), lambda w2, kv: w2.string(kv[0]).string(str(kv[1])))

    body.array([topic], put).i32(30000).boolean(False)
    with node.connect(timeout=40) as connection:
        answer = connection.call(wire.CREATE_TOPICS, 4, body)
        answer.i32()
        rows = answer.array(lambda r: (r.string(), r.i16(), r.string()))
    assert rows[0][1] == 0, f"create {topic}: {rows[0]}"
    for partition in range(partitions):
        wait_for(lambda: _offset(node, topic, partition, -1, (3, *_SOON)), f"{topic}-{partition} has a leader")


def wait_for(condition, what: str, timeout: float = 15):
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}"
        time.sleep(0.05)


def produce(node, topic: str, partition: int, data: bytes, acks: int = -1) -> tuple[int, int]:
    """(error, base offset)"""
    with node.connect() as connection:
        return produce_on(connection, topic, partition, data, acks)


def produce_on(connection, topic, partition, data, acks=-1):
    body = Writer().string(None).i16(acks).i32(10000)
    body.array([topic], lambda w, t: w.string(t).array([partition], lambda w2, p: w2.i32(p).bytes(data)))
    answer = connection.call(wire.PRODUCE, 7, body)
    rows = answer.array(lambda r: (r.string(), r.array(lambda q: (q.i32(), q.i16(), q.i64(), q.i64(), q.i64()))))
    answer.i32()
    answer.finish()
    _, error, base, _, _ = rows[0][1][0]
    return error, base


# LEADER_NOT_AVAILABLE and NOT_LEADER_OR_FOLLOWER: a node that has just started may still say so for a moment.
_SOON = (5, 6)


def offset(node, topic: str, partition: int, timestamp: int = -1) -> int:
    """The offset that ListOffsets gives for a timestamp; -1 is the end, -2 the start."""
    return wait_for(lambda: _offset(node, topic, partition, timestamp), f"{topic}-{partition} has a leader")[0]


def _offset(node, topic, partition, timestamp, soon=_SOON):
    body = Writer().i32(-1).i8(0)
    body.array([topic], lambda w, t: w.string(t).array([partition], lambda w2, p: w2.i32(p).i32(-1).i64(timestamp)))
    with node.connect() as connection:
        answer = connection.call(wire.LIST_OFFSETS, 4, body)
        answer.i32()
        rows = answer.array(lambda r: (r.string(), r.array(lambda q: (q.i32(), q.i16(), q.i64(), q.i64(), q.i32()))))
    _, error, _, found, _ = rows[0][1][0]
    assert error == 0 or error in soon, f"ListOffsets {topic}-{partition}: error {error}"
    return (found,) if error == 0 else None


def batches(node, topic: str, partition: int, start: int = 0) -> list[batch.Stored]:
    """Every batch of a partition from an offset on."""
    found = []
    with node.connect() as connection:
        while True:
            body = Writer().i32(-1).i32(0).i32(1).i32(50 << 20).i8(0).i32(0).i32(-1)
            body.array([topic], lambda w, t: w.string(t).array(
                [partition], lambda w2, p: w2.i32(p).i32(-1).i64(start).i64(-1).i32(8 << 20)))
            answer = connection.call(wire.FETCH, 11, body.array([]).string(""))
            answer.i32(), answer.i16(), answer.i32()

            def one(r):
                return (r.i32(), r.i16(), r.i64(), r.i64(), r.i64(), r.array(lambda a: (a.i64(), a.i64())), r.i32(), r.bytes())

            rows = answer.array(lambda r: (r.string(), r.array(one)))
            error, records = rows[0][1][0][1], rows[0][1][0][7]
            assert error == 0, f"Fetch {topic}-{partition} at {start}: error {error}"
            new = [b for b in batch.split(records) if b.whole]
            if not new:
                return found
            found += new
            start = new[-1].base_offset + new[-1].last_offset_delta + 1


def coordinator_ready(node, group: str) -> None:
    """The group's coordinator is loaded: the first question creates __consumer_offsets, which takes a moment."""
    def ready():
        with node.connect() as connection:
            answer = connection.call(wire.FIND_COORDINATOR, 1, Writer().string(group).i8(0))
            answer.i32()
            return answer.i16() == 0 and committed_on(connection, group, "nothing", [0]) is not None
    wait_for(ready, f"the coordinator of {group} answers")


def committed_on(connection, group, topic, partitions) -> dict | None:
    body = Writer().string(group).array([topic], lambda w, t: w.string(t).array(partitions, Writer.i32))
    answer = connection.call(wire.OFFSET_FETCH, 5, body)
    answer.i32()
    rows = answer.array(lambda r: (r.string(), r.array(lambda q: (q.i32(), q.i64(), q.i32(), q.string(), q.i16()))))
    if answer.i16() != 0:
        return None
    return {row[0]: row[1] for _, list_of in rows for row in list_of}


def committed(node, group: str, topic: str, partitions) -> dict:
    """{partition: offset}, -1 where nothing is committed."""
    def answer():
        with node.connect() as connection:
            return committed_on(connection, group, topic, partitions)
    return wait_for(answer, f"the committed offsets of {group}")


def set_config(node, resource_type: int, name: str, key: str, value: str) -> None:
    """IncrementalAlterConfigs: 2 is a topic, 4 a broker, 8 a broker's loggers, 32 a group."""
    body = Writer().array([name], lambda w, n: w.i8(resource_type).string(n).array(
        [(key, value)], lambda w2, kv: w2.string(kv[0]).i8(0).string(kv[1]))).boolean(False)
    with node.connect() as connection:
        answer = connection.call(wire.INCREMENTAL_ALTER_CONFIGS, 0, body)
        answer.i32()
        rows = answer.array(lambda r: (r.i16(), r.string(), r.i8(), r.string()))
    assert rows[0][0] == 0, f"{key} of {name}: {rows[0]}"

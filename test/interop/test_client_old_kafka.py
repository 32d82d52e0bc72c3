"""Our C++ client against Apache Kafka 2.8: it asks each broker what it can do and speaks as it did then."""

import pytest

from rig import ask, records
from rig.cache import Unavailable
from rig.old_kafka import OldKafka

OURS, JAVA = "barnabas-cpp", "java-4.3.0"
PATIENCE = 120


@pytest.fixture(scope="module")
def old(workplace):
    node = OldKafka(workplace / "old-kafka")
    try:
        node.start(timeout=120)
    except Unavailable as why:
        pytest.skip(f"Kafka 2.8: {why}")
    finally:
        if not node.running():
            node.close()
    yield node
    node.close()


def consume(begin, old, client, topic, expect, group=None, **settings):
    return begin(client, "consume", bootstrap=old.bootstrap, topic=topic, partitions=[0, 1, 2], group=group, expect=expect,
                 settings=settings).finish(PATIENCE).records


def test_writes_and_reads_with_every_codec(old, begin):
    begin(OURS, "create", bootstrap=old.bootstrap, topic="codecs", partitions=3, configs={}).finish(PATIENCE)
    written = []
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        rows = records.make(codec, 90)
        begin(OURS, "produce", bootstrap=old.bootstrap, topic="codecs", codec=codec, idempotent=True, pace_ms=0,
              records=rows).finish(PATIENCE)
        written += rows
    for client in (OURS, JAVA):
        records.check_same(written, consume(begin, old, client, "codecs", len(written)))


def test_goes_on_through_a_kill_of_the_broker(old, begin, tmp_path):
    ask.create_topic(old, "story", 3)
    written = [[i % 3, f"key-{i}", f"story-{i}", []] for i in range(20000)]
    stop, leave = tmp_path / "stop", tmp_path / "leave"
    reader = begin(OURS, "member", bootstrap=old.bootstrap, topic="story", group="readers", until=str(leave))
    producer = begin(OURS, "produce", bootstrap=old.bootstrap, topic="story", codec="lz4", idempotent=True, pace_ms=4,
                     records=written, until=str(stop), settings={"delivery.timeout.ms": "600000", "max.block.ms": "300000"})
    producer.until(lambda p: len(p.acks) > 100, PATIENCE)
    old.kill()
    old.start(timeout=120)
    old_acks = len(producer.acks)
    producer.until(lambda p: len(p.acks) > old_acks + 100, PATIENCE)
    stop.touch()
    producer.finish(PATIENCE)
    written = written[:len(producer.acks)]
    reader.until(lambda r: len({(row[0], row[1]) for row in r.records}) == len(written), PATIENCE)
    leave.touch()
    reader.finish(PATIENCE)
    records.check_at_least_once(written, reader.records)
    records.check_same(written, consume(begin, old, JAVA, "story", len(written)))
    assert sum(ask.offset(old, "story", partition) for partition in range(3)) == len(written), "nothing was written twice"


def test_a_group_of_ours_and_javas(old, begin, tmp_path):
    ask.create_topic(old, "group", 4)
    leave = [tmp_path / "leave-0", tmp_path / "leave-1"]
    members = [begin(client, "member", bootstrap=old.bootstrap, topic="group", group="mixed", until=str(file))
               for client, file in zip((OURS, JAVA), leave)]

    def shared():
        for member in members:
            member.drain()
        held = [member.assignments[-1] if member.assignments else [] for member in members]
        return all(len(one) == 2 for one in held) and sorted(sum(held, [])) == [0, 1, 2, 3]

    ask.wait_for(shared, "each has two partitions", PATIENCE)
    leave[1].touch()
    members[1].finish(PATIENCE)
    members[0].until(lambda m: m.assignments[-1] == [0, 1, 2, 3], PATIENCE)
    leave[0].touch()
    members[0].finish(PATIENCE)


def test_transactions(old, begin):
    ask.create_topic(old, "transactions", 3)
    kept, dropped = records.make("kept", 60), records.make("dropped", 60)
    begin(OURS, "transact", bootstrap=old.bootstrap, topic="transactions", id="t", codec="none",
          steps=[[kept, "commit"], [dropped, "abort"]]).finish(PATIENCE)
    seen = consume(begin, old, JAVA, "transactions", 60, **{"isolation.level": "read_committed"})
    assert records.by_partition(kept) == records.of_read(seen)


def test_what_it_cannot_do_is_said(old, begin):
    with pytest.raises(AssertionError, match="UNSUPPORTED"):
        begin(OURS, "consume", bootstrap=old.bootstrap, topic="codecs", partitions=[], group="new", expect=1,
              settings={"group.protocol": "consumer"}).finish(PATIENCE)

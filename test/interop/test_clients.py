"""Each client alone: topics, every codec, groups, commit and resume; always read back by another client than wrote."""

import itertools

import pytest
from conftest import reader_for

from rig import ask, records
from rig.clients import BY_NAME

_serial = itertools.count(1)


def fresh(name: str) -> str:
    return f"{name.replace('_', '-')}-{next(_serial)}"


def produce(begin, node, name, topic, written, codec="none", timeout=60):
    client = BY_NAME[name]
    return begin(name, "produce", bootstrap=node.bootstrap, topic=topic, codec=codec, idempotent=client.idempotent,
                 pace_ms=0, records=written).finish(timeout)


def consume(begin, node, name, topic, expect, group=None, timeout=60):
    return begin(name, "consume", bootstrap=node.bootstrap, topic=topic, partitions=[0, 1, 2], group=group,
                 expect=expect).finish(timeout).records


def test_creates_a_topic_with_a_configuration(node, client_name, begin):
    if not BY_NAME[client_name].creates_topics:
        # kcat: the broker makes the topic when it is first written to
        topic = fresh("auto")
        produce(begin, node, client_name, topic, records.make("auto", 3, partitions=1))
        assert ask.topic_partitions(node, topic) == 1
        return
    topic = fresh(f"created-by-{client_name}")
    begin(client_name, "create", bootstrap=node.bootstrap, topic=topic, partitions=5,
          configs={"retention.ms": "1234567890"}).finish()
    ask.wait_for(lambda: ask.topic_partitions(node, topic) == 5, "the topic is there")


def test_writes_what_another_client_reads(node, codec_of, begin):
    name, codec = codec_of
    client, topic = BY_NAME[name], fresh(f"{name}-{codec}")
    reader = reader_for(name, codec)
    ask.create_topic(node, topic, 3)
    written = records.make(f"{name}-{codec}", 300, null_values=client.null_values)
    produced = produce(begin, node, name, topic, written, codec)

    assert len(produced.acks) == len(written)
    if client.tells_offsets:
        for partition in range(3):
            offsets = [offset for index, p, offset in sorted(produced.acks) if p == partition]
            assert offsets == list(range(100)), "each record is acknowledged with its own offset, in order"
    stored = [batch for partition in range(3) for batch in ask.batches(node, topic, partition)]
    assert {batch.codec for batch in stored} <= {codec, "none"}, "the codec of the producer is kept"
    assert codec in {batch.codec for batch in stored}, "the client really compressed"
    assert all((batch.producer_id >= 0) == client.idempotent for batch in stored)
    records.check_same(written, consume(begin, node, reader, topic, len(written)))


@pytest.fixture(scope="session")
def mixed_topics():
    return {}


def test_reads_alone_what_others_wrote_with_every_codec(node, client_name, begin, mixed_topics):
    """Batches of all codecs that the reader knows follow each other in each partition."""
    codecs = BY_NAME[client_name].codecs
    writer = "java-4.3.0" if client_name != "java-4.3.0" else "confluent-kafka"
    key = (node.kind, writer, codecs)
    if key not in mixed_topics:
        topic, written = fresh("mixed"), []
        ask.create_topic(node, topic, 3)
        for codec in codecs:
            part = records.make(f"mixed-{codec}", 90)
            produce(begin, node, writer, topic, part, codec)
            written += part
        mixed_topics[key] = topic, written
    topic, written = mixed_topics[key]
    records.check_same(written, consume(begin, node, client_name, topic, len(written)))


def test_commits_and_another_client_of_the_group_resumes(node, client_name, begin):
    """Half is read and committed by the client, a quarter by another client of the same group, the rest by the first again."""
    topic, group = fresh("resume"), fresh(f"resume-{client_name}")
    other = reader_for(client_name)
    ask.create_topic(node, topic, 3)
    written = records.make("resume", 240)
    produce(begin, node, "confluent-kafka" if client_name != "confluent-kafka" else "kcat", topic, written)
    ask.coordinator_ready(node, group)
    read = []
    for name, count in ((client_name, 120), (other, 60), (client_name, 60)):
        read += consume(begin, node, name, topic, count, group)
        committed = ask.committed(node, group, topic, [0, 1, 2])
        assert sum(max(0, offset) for offset in committed.values()) == len(read), "what was read is committed, no more and no less"
    records.check_same(written, read)


def test_a_group_of_two_rebalances(node, client_name, begin, tmp_path):
    """The first member has all; with the second each has some; when the second leaves the first has all again."""
    check_two_members(node, begin, tmp_path, client_name, client_name)


@pytest.mark.parametrize("pair", [("java-4.3.0", "kcat"), ("confluent-kafka", "java-2.8.2"), ("barnabas-cpp", "java-4.3.0"),
                                  ("confluent-kafka", "barnabas-cpp"), ("franz-go", "barnabas-cpp")], ids="+".join)
def test_a_group_of_different_clients_rebalances(node, pair, begin, tmp_path):
    check_two_members(node, begin, tmp_path, *pair)


def check_two_members(node, begin, tmp_path, first_name, second_name):
    topic, group = fresh("pair"), fresh(f"pair-{first_name}")
    ask.create_topic(node, topic, 4)
    ask.coordinator_ready(node, group)
    writer = reader_for(first_name)
    everything, leave_first, leave_second = [0, 1, 2, 3], tmp_path / "leave-1", tmp_path / "leave-2"

    def assignment(member):
        member.drain()
        return member.assignments[-1] if member.assignments else []

    first = begin(first_name, "member", bootstrap=node.bootstrap, topic=topic, group=group, until=str(leave_first))
    first.until(lambda m: assignment(m) == everything)
    written = records.make("one", 80, partitions=4)
    produce(begin, node, writer, topic, written)
    first.until(lambda m: len(m.records) >= 80)

    second = begin(second_name, "member", bootstrap=node.bootstrap, topic=topic, group=group, until=str(leave_second))
    second.until(lambda m: len(assignment(m)) == 2)
    first.until(lambda m: len(assignment(m)) == 2)
    assert sorted(assignment(first) + assignment(second)) == everything, "each partition has one reader"
    more = records.make("two", 80, partitions=4)
    produce(begin, node, writer, topic, more)
    written += more
    first.until(lambda m: len(m.records) >= 80 + 40)
    second.until(lambda m: len(m.records) >= 40)

    leave_second.touch()
    second.finish()
    first.until(lambda m: assignment(m) == everything)
    rest = records.make("three", 80, partitions=4)
    produce(begin, node, writer, topic, rest)
    written += rest
    first.until(lambda m: len(m.records) + len(second.records) >= 240)
    leave_first.touch()
    first.finish()
    assert len(first.records) + len(second.records) == 240, "nothing was read twice: each handed over what it had committed"
    for member in (first, second):
        records.check_rising(member.records)
    records.check_same(written, sorted(first.records + second.records, key=lambda r: r[:2]))

"""Transactions of our C++ client against a real Kafka, with both versions of the protocol; another client reads them."""

import pytest

from rig import ask, records
from rig.kafka import RealKafka
from rig.node import COMMON_FEATURES

OURS, JAVA = "barnabas-cpp", "java-4.3.0"
PATIENCE = 120


@pytest.fixture(scope="module", params=[0, 2], ids=lambda version: f"transaction.version={version}")
def kafka(workplace, request):
    node = RealKafka(workplace / f"transactions-{request.param}")
    node.format(features=[*(f for f in COMMON_FEATURES if not f.startswith("transaction.")), f"transaction.version={request.param}"])
    node.start()
    yield node
    node.close()


def read_committed(begin, kafka, topic, expect):
    """Exactly what a Java consumer sees that reads only what is committed, up to the `expect`ed number of records."""
    return begin(JAVA, "consume", bootstrap=kafka.bootstrap, topic=topic, partitions=[0, 1, 2], group=None, expect=expect,
                 settings={"isolation.level": "read_committed"}).finish(PATIENCE).records


def transact(begin, kafka, topic, name, steps, **more):
    return begin(OURS, "transact", bootstrap=kafka.bootstrap, topic=topic, id=name, steps=steps, **more).finish(PATIENCE)


def only_the_last_marker_follows(kafka, topic, seen):
    """Behind the last record seen there is nothing but control batches: the reader missed nothing."""
    for partition in range(3):
        last = max((r[1] for r in seen if r[0] == partition), default=-1)
        assert all(b.control for b in ask.batches(kafka, topic, partition) if b.base_offset > last)


def same_but_for_offsets(written, seen):
    """As records.check_same, with gaps where markers and aborted records are."""
    records.check_rising(seen)
    assert records.by_partition(written) == records.of_read(seen)


def test_what_is_committed_is_seen_and_what_is_aborted_is_not(kafka, begin):
    ask.create_topic(kafka, "both", 3)
    kept, dropped, last = (records.make(tag, 60) for tag in ("kept", "dropped", "last"))
    transact(begin, kafka, "both", "both", [[kept, "commit"], [dropped, "abort"], [last, "commit"]])
    seen = read_committed(begin, kafka, "both", 120)
    same_but_for_offsets(kept + last, seen)
    only_the_last_marker_follows(kafka, "both", seen)
    everything = begin(JAVA, "consume", bootstrap=kafka.bootstrap, topic="both", partitions=[0, 1, 2], group=None,
                       expect=180).finish(PATIENCE).records
    same_but_for_offsets(kept + dropped + last, everything)


def test_our_consumer_reads_what_is_committed_as_javas_does(kafka, begin):
    ask.create_topic(kafka, "read", 3)
    steps = [[records.make(f"step-{i}", 30), "abort" if i % 3 == 1 else "commit"] for i in range(7)]
    transact(begin, kafka, "read", "read", steps)
    committed = [row for rows, how in steps if how == "commit" for row in rows]
    ours = begin(OURS, "consume", bootstrap=kafka.bootstrap, topic="read", partitions=[0, 1, 2], group=None,
                 expect=len(committed), settings={"isolation.level": "read_committed"}).finish(PATIENCE).records
    same_but_for_offsets(committed, ours)
    assert sorted(ours) == sorted(read_committed(begin, kafka, "read", len(committed)))


def test_a_transaction_that_its_producer_left_is_aborted_by_the_next_one_of_that_id(kafka, begin):
    ask.create_topic(kafka, "left", 3)
    left, kept = records.make("left", 30), records.make("kept", 30)
    transact(begin, kafka, "left", "left", [[left, "leave"]])
    transact(begin, kafka, "left", "left", [[kept, "commit"]])
    same_but_for_offsets(kept, read_committed(begin, kafka, "left", 30))


def test_a_producer_is_fenced_by_the_next_one_of_its_id(kafka, begin):
    ask.create_topic(kafka, "fence", 3)
    fence = begin(OURS, "fence", bootstrap=kafka.bootstrap, topic="fence", id="fence").finish(PATIENCE)
    what, name, fatal = fence.told[0]
    assert (what, fatal) == ("fenced", True)
    assert name in ("PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH")
    assert [r[3] for r in read_committed(begin, kafka, "fence", 1)] == ["of the second"]


def test_offsets_are_committed_with_the_records_or_not_at_all(kafka, begin):
    ask.create_topic(kafka, "source", 3)
    ask.create_topic(kafka, "sink", 3)
    ask.coordinator_ready(kafka, "workers")

    def work(tag, offsets, how):
        rows = records.make(tag, 30)
        transact(begin, kafka, "sink", "worker", [[rows, how]],
                 offsets={"group": "workers", "topic": "source", "offsets": offsets})
        return rows

    kept = work("kept", [[0, 7], [2, 9]], "commit")
    committed = {0: 7, 1: -1, 2: 9}
    # The markers reach the group's partition a moment after the producer has its answer.
    ask.wait_for(lambda: ask.committed(kafka, "workers", "source", [0, 1, 2]) == committed, "the offsets are committed", PATIENCE)
    work("dropped", [[0, 70], [1, 80]], "abort")
    kept += work("last", [[1, 5]], "commit")
    committed[1] = 5
    ask.wait_for(lambda: ask.committed(kafka, "workers", "source", [0, 1, 2]) == committed, "the offsets are committed", PATIENCE)
    same_but_for_offsets(kept, read_committed(begin, kafka, "sink", 60))

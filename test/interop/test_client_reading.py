"""What a consumer of our C++ client does besides reading on: seeks by time, starts where it is told to, is woken, comes too late."""

import itertools
import time

import pytest

from rig import ask

OURS = "barnabas-cpp"
PATIENCE = 120
_serial = itertools.count(1)


def topic_with(node, begin, count=30, partitions=3, timestamps=None):
    topic = f"reading-{next(_serial)}"
    ask.create_topic(node, topic, partitions)
    written = [[i % partitions, f"key-{i}", f"{topic}-{i}", []] for i in range(count)]
    given = {"timestamps": timestamps} if timestamps else {}
    if written:
        begin(OURS, "produce", bootstrap=node.bootstrap, topic=topic, codec="none", idempotent=True, pace_ms=0, records=written,
              **given).finish(PATIENCE)
    return topic, written


def steps(begin, node, topic, *what, group=None, **settings):
    settings = {key.replace("_", "."): value for key, value in settings.items()}
    return begin(OURS, "steps", bootstrap=node.bootstrap, topic=topic, group=group, steps=what, settings=settings)


def positions(running):
    return {partition: offset for partition, offset in next(t for t in running.told if t[0] == "positions")[1:]}


def test_seeks_to_a_time(node, begin):
    start = int(time.time() * 1000) - 3600_000
    topic, written = topic_with(node, begin, 30, timestamps=[start + 1000 * i for i in range(30)])
    # Record i of partition i % 3 has start + i seconds: the first ones from 13.5 s on are 14, 15 and 16.
    running = steps(begin, node, topic, ["assign", [0, 1, 2]], ["seek to time", start + 13500], ["positions"], ["read", 16]).finish(PATIENCE)
    assert positions(running) == {0: 5, 1: 5, 2: 4}
    assert {r[3] for r in running.records} == {row[2] for row in written[14:]}


def test_seeks_to_the_end_when_nothing_is_as_late_as_the_time(node, begin):
    topic, _ = topic_with(node, begin, 30)
    late = int(time.time() * 1000) + 3600_000
    running = steps(begin, node, topic, ["assign", [0, 1, 2]], ["seek to time", late], ["positions"]).finish(PATIENCE)
    assert positions(running) == {0: 10, 1: 10, 2: 10}


def test_without_an_offset_and_a_policy_polling_fails_and_says_which_partition(node, begin):
    topic, _ = topic_with(node, begin, 6, partitions=1)
    running = steps(begin, node, topic, ["assign", [0]], ["poll", 60000], group=f"none-{topic}", auto_offset_reset="none").finish(PATIENCE)
    what, name, message, fatal = running.told[1]
    assert (what, fatal) == ("failed", False)
    assert f"{topic}-0" in message
    assert running.records == []


@pytest.mark.parametrize("policy,first", [("earliest", 0), ("latest", 30), ("by_duration:PT20M", 10)])
def test_starts_where_the_policy_says(node, begin, policy, first):
    """Of 30 records, one for each of the last 30 minutes (and half a minute), the last 20 are of the last 20 minutes."""
    now = int(time.time() * 1000)
    topic, written = topic_with(node, begin, 30, partitions=1, timestamps=[now - 60_000 * (30 - i) + 30_000 for i in range(30)])
    running = steps(begin, node, topic, ["assign", [0]], ["poll", 500], ["positions"], auto_offset_reset=policy, max_poll_records="1")
    running.finish(PATIENCE)
    # One poll may have taken a record already.
    assert positions(running)[0] - len(running.records) == first


def test_a_poll_that_waits_is_woken_and_the_next_one_reads(node, begin):
    topic, _ = topic_with(node, begin, 3)
    running = steps(begin, node, topic, ["assign", [0, 1, 2]], ["read", 3], ["wakeup", 300], ["wakeup", 0], ["poll", 50]).finish(PATIENCE)
    failed = [told for told in running.told if told[0] == "failed"]
    assert [told[1] for told in failed] == ["CANCELLED", "CANCELLED"], "one waited, one was woken before it began"
    assert ["polled", 0] in running.told


def test_who_does_not_poll_in_time_loses_its_place_and_gets_it_back(node, begin, tmp_path):
    topic, written = topic_with(node, begin, 40, partitions=4)
    group, back, leave = f"late-{topic}", tmp_path / "back", tmp_path / "leave"
    ask.coordinator_ready(node, group)
    late = steps(begin, node, topic, ["subscribe"], ["hold", 4], ["read", 0], ["commit"], ["idle until", str(back)], ["hold", 0],
                 ["hold", 2], group=group, max_poll_interval_ms="3000")
    late.until(lambda m: ["took", "commit"] in m.told, PATIENCE)
    other = begin("java-4.3.0", "member", bootstrap=node.bootstrap, topic=topic, group=group, until=str(leave))
    other.until(lambda m: m.assignments and m.assignments[-1] == [0, 1, 2, 3], PATIENCE)
    back.touch()
    other.until(lambda m: m.assignments[-1] != [0, 1, 2, 3] and len(m.assignments[-1]) == 2, PATIENCE)
    late.finish(PATIENCE)
    leave.touch()
    other.finish(PATIENCE)
    assert ["lost"] in late.told


def test_a_static_member_comes_back_without_a_rebalance_and_shuts_out_its_double(node, begin, tmp_path):
    topic, _ = topic_with(node, begin, 0, partitions=4)
    group = f"static-{topic}"
    ask.coordinator_ready(node, group)
    leave = [tmp_path / f"leave-{i}" for i in range(4)]

    def join(at, instance):
        return begin(OURS, "member", bootstrap=node.bootstrap, topic=topic, group=group, until=str(leave[at]),
                     settings={"group.instance.id": instance, "session.timeout.ms": "45000"})

    def holds(member):
        member.drain()
        return member.assignments[-1] if member.assignments else []

    one, two = join(0, "one"), join(1, "two")
    ask.wait_for(lambda: len(holds(one)) == 2 and len(holds(two)) == 2, "both have their share", PATIENCE)
    had, changes = holds(one), len(two.assignments)
    leave[0].touch()
    one.finish(PATIENCE)
    again = join(2, "one")
    ask.wait_for(lambda: holds(again) == had, "it has what it had", PATIENCE)
    assert holds(two) and len(two.assignments) == changes, "the other one was left alone"
    double = join(3, "one")
    with pytest.raises(AssertionError, match="FENCED_INSTANCE_ID"):
        again.finish(PATIENCE)
    ask.wait_for(lambda: holds(double) == had, "the double has taken its place", PATIENCE)
    for file in leave:
        file.touch()
    for member in (double, two):
        member.finish(PATIENCE)

"""Our C++ client in the groups that need a new Kafka: members by KIP-848, alone and with Java's, and share groups."""

import collections
import itertools

import pytest

from rig import ask, records
from rig.kafka import RealKafka

OURS, JAVA = "barnabas-cpp", "java-4.3.0"
KIP_848 = {"group.protocol": "consumer"}
PATIENCE = 120  # a group's moves take what the broker's heartbeat interval takes, on a machine that has other work
_serial = itertools.count(1)


@pytest.fixture(scope="module")
def kafka(workplace):
    """A real Kafka with all its features on, and quick heartbeats."""
    node = RealKafka(workplace / "groups", {
        "group.consumer.min.heartbeat.interval.ms": 500, "group.consumer.heartbeat.interval.ms": 500,
        "group.consumer.min.session.timeout.ms": 5000, "group.consumer.session.timeout.ms": 20000,
        "group.share.min.heartbeat.interval.ms": 500, "group.share.heartbeat.interval.ms": 500})
    node.format(features=())
    node.start()
    yield node
    node.close()


def produce(begin, kafka, topic, written, client="confluent-kafka"):
    begin(client, "produce", bootstrap=kafka.bootstrap, topic=topic, codec="none", idempotent=True, pace_ms=0,
          records=written).finish()


def holds(member):
    member.drain()
    return member.assignments[-1] if member.assignments else []


class Members:
    """Two members of one group, one of which leaves: what each held, and that everything was read."""

    def __init__(self, begin, kafka, tmp_path, group):
        self.begin, self.kafka, self.tmp_path, self.group = begin, kafka, tmp_path, group
        self.members, self.written = [], []

    def join(self, client, topic, **more):
        leave = self.tmp_path / f"leave-{len(self.members)}"
        member = self.begin(client, "member", bootstrap=self.kafka.bootstrap, topic=topic, group=self.group, until=str(leave),
                            settings=KIP_848 | more.pop("settings", {}), **more)
        member.leave = leave
        self.members.append(member)
        return member

    def write(self, topic, tag, count=80):
        rows = records.make(tag, count, partitions=4)
        self.written += rows
        produce(self.begin, self.kafka, topic, rows)

    def share_evenly(self):
        """Until each of the two has half of four partitions."""
        def shared():
            held = [holds(member) for member in self.members]
            return sorted(sum(held, [])) == [0, 1, 2, 3] and all(len(one) == 2 for one in held)

        ask.wait_for(shared, "each of two members has two partitions", PATIENCE)

    def until_all_is_read(self):
        def all_there():
            for member in self.members:
                member.drain()
            return len({(r[0], r[1]) for m in self.members for r in m.records}) == len(self.written)

        ask.wait_for(all_there, "the members have read everything", PATIENCE)

    def leave(self, member):
        member.leave.touch()
        member.finish(PATIENCE)

    def check(self):
        once = {(r[0], r[1]): r for member in self.members for r in member.records}
        assert sum(len(m.records) for m in self.members) == len(once), "nothing was read twice"
        for member in self.members:
            records.check_rising(member.records)
        records.check_same(self.written, [once[at] for at in sorted(once)])


@pytest.mark.parametrize("pair", [(OURS, OURS), (OURS, JAVA), (JAVA, OURS)], ids="+".join)
def test_two_members_by_kip_848_share_and_one_leaves(kafka, begin, tmp_path, pair):
    topic = f"kip-848-{next(_serial)}"
    group = Members(begin, kafka, tmp_path, f"of-{topic}")
    ask.create_topic(kafka, topic, 4)
    ask.coordinator_ready(kafka, group.group)
    first = group.join(pair[0], topic).until(lambda m: holds(m) == [0, 1, 2, 3], PATIENCE)
    group.write(topic, "one")
    group.until_all_is_read()
    second = group.join(pair[1], topic)
    group.share_evenly()
    group.write(topic, "two")
    group.until_all_is_read()
    group.leave(second)
    first.until(lambda m: holds(m) == [0, 1, 2, 3], PATIENCE)
    group.write(topic, "three")
    group.until_all_is_read()
    group.leave(first)
    group.check()


def test_a_pattern_is_matched_by_the_broker_also_for_later_topics(kafka, begin, tmp_path):
    group = Members(begin, kafka, tmp_path, "of-a-pattern")
    ask.create_topic(kafka, "pattern-a", 2)
    ask.create_topic(kafka, "not-a-pattern", 3)
    ask.coordinator_ready(kafka, group.group)
    member = group.join(OURS, "none", pattern="pattern-[a-z]+").until(lambda m: holds(m) == [0, 1], PATIENCE)
    ask.create_topic(kafka, "pattern-b", 3)  # its partition 2 shows that it was given
    # Kafka matches patterns again with the next heartbeats after a change of the metadata.
    member.until(lambda m: holds(m) == [0, 1, 2], PATIENCE)
    group.leave(member)


def test_a_static_member_by_kip_848_comes_back_to_what_it_had(kafka, begin, tmp_path):
    topic = "kip-848-static"
    group = Members(begin, kafka, tmp_path, f"of-{topic}")
    ask.create_topic(kafka, topic, 4)
    ask.coordinator_ready(kafka, group.group)
    first = group.join(OURS, topic, settings={"group.instance.id": "one"})
    first.until(lambda m: holds(m) == [0, 1, 2, 3], PATIENCE)
    second = group.join(OURS, topic, settings={"group.instance.id": "two"})
    group.share_evenly()
    group.leave(first)
    kept, changes = holds(second), len(second.assignments)
    again = group.join(OURS, topic, settings={"group.instance.id": "one"}).until(lambda m: len(holds(m)) == 2, PATIENCE)
    assert sorted(holds(again) + kept) == [0, 1, 2, 3]
    second.drain()
    assert len(second.assignments) == changes, "the other member was left alone"
    group.leave(again)
    group.leave(second)


# Share groups.

def share_topic(kafka, begin, name, count, partitions=3):
    ask.create_topic(kafka, name, partitions)
    ask.coordinator_ready(kafka, f"of-{name}")
    ask.set_config(kafka, 32, f"of-{name}", "share.auto.offset.reset", "earliest")
    written = records.make(name, count, partitions=partitions, null_values=False)
    produce(begin, kafka, name, written)
    return written


def values(rows, at=2):
    return collections.Counter(row[at] for row in rows)


def test_a_share_consumer_accepts_implicitly_and_another_gets_only_what_is_new(kafka, begin):
    written = share_topic(kafka, begin, "share-implicit", 120)
    command = dict(bootstrap=kafka.bootstrap, topic="share-implicit", group="of-share-implicit")
    first = begin(OURS, "share", expect=120, **command).finish(PATIENCE)
    assert values(first.records, 3) == values(written)
    new = records.make("new", 30, null_values=False)
    produce(begin, kafka, "share-implicit", new)
    second = begin(OURS, "share", expect=30, **command).finish(PATIENCE)
    assert values(second.records, 3) == values(new), "what was accepted is not handed out again"


def test_a_share_consumer_rejects_and_releases(kafka, begin):
    written = share_topic(kafka, begin, "share-explicit", 60)
    rejected, released = [r[2] for r in written[:5]], [r[2] for r in written[20:27]]
    reading = begin(OURS, "share", bootstrap=kafka.bootstrap, topic="share-explicit", group="of-share-explicit", expect=55,
                    reject=rejected, release_first=released).finish(PATIENCE)
    assert values(reading.records, 3) == values(r for r in written if r[2] not in rejected)
    second_time = [r[3] for r, told in zip(reading.records, reading.told) if told == ["delivered", 2]]
    assert sorted(second_time) == sorted(released), "what was released came a second time, and nothing else did"


def test_two_share_consumers_divide_the_records(kafka, begin, tmp_path):
    written = share_topic(kafka, begin, "share-two", 90, partitions=1)
    leave = tmp_path / "leave"
    command = dict(bootstrap=kafka.bootstrap, topic="share-two", group="of-share-two", expect=1 << 30, until=str(leave),
                   settings={"max.poll.records": "10"})
    both = [begin(OURS, "share", **command), begin(OURS, "share", **command)]

    def read():
        for member in both:
            member.drain()
        return sum(len(m.records) for m in both)

    rounds = 0
    while True:
        ask.wait_for(lambda: read() >= len(written), "all records are accepted by one of the two", PATIENCE)
        if all(member.records for member in both):
            break
        # One was quicker than the other could join: more, until both have had some of the one partition.
        rounds += 1
        assert rounds < 50, "one of two members got everything"
        more = [[0, None, f"round-{rounds}-{i}", []] for i in range(60)]
        written += more
        produce(begin, kafka, "share-two", more)
    leave.touch()
    for member in both:
        member.finish(PATIENCE)
    assert values((r for m in both for r in m.records), 3) == values(written), "each record went to one of them, once"

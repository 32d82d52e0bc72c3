"""Our C++ client on three real Kafka nodes that are killed and paused one after the other under it."""

import pytest

from rig import ask, records
from rig.cluster import Cluster

OURS, JAVA = "barnabas-cpp", "java-4.3.0"
PATIENCE = 120
MOST = 60000  # records of a story: several minutes
# So that a broker that is paused is given up soon, and no record ever.
PRODUCER = {"request.timeout.ms": "3000", "delivery.timeout.ms": "900000", "max.block.ms": "300000", "linger.ms": "5"}
MEMBER = {"request.timeout.ms": "5000", "default.api.timeout.ms": "300000", "session.timeout.ms": "20000"}


@pytest.fixture(scope="module")
def cluster(workplace):
    cluster = Cluster(workplace / "cluster")
    cluster.format()
    try:
        yield cluster.start()
    finally:
        cluster.close()


class UnderWay:
    """A producer that sends a record every few milliseconds and a group that reads them."""

    def __init__(self, cluster, begin, tmp_path, topic, members=2):
        self.cluster, self.topic = cluster, topic
        cluster.create_topic(topic, 3)
        self.leave = tmp_path / "leave"
        command = dict(bootstrap=cluster.bootstrap, topic=topic)
        self.members = [begin(OURS, "member", group=f"of-{topic}", until=str(self.leave), settings=MEMBER, **command)
                        for _ in range(members)]
        self.stop = tmp_path / "stop"
        self.written = [[i % 3, f"key-{i}", f"{topic}-{i}", []] for i in range(MOST)]
        self.producer = begin(OURS, "produce", codec="lz4", idempotent=True, pace_ms=4, records=self.written, until=str(self.stop),
                              settings=PRODUCER, **command)
        self.goes_on()
        cluster.until_whole("__consumer_offsets")

    def drain(self):
        self.producer.drain()
        for member in self.members:
            member.drain()

    def seen(self):
        return {(r[0], r[1]) for member in self.members for r in member.records}

    def goes_on(self):
        """Until records that were not yet sent are acknowledged in every partition, and are read."""
        self.drain()
        acked = {p: sum(1 for ack in self.producer.acks if ack[1] == p) for p in range(3)}

        def more():
            self.drain()
            new = {p: [ack for ack in self.producer.acks if ack[1] == p][acked[p]:] for p in range(3)}
            seen = self.seen()
            return all(len(new[p]) > 20 and (p, new[p][20][2]) in seen for p in range(3))

        try:
            ask.wait_for(more, "records are acknowledged and read", PATIENCE)
        except AssertionError as late:
            said = "\n".join(worker.driver.said() for worker in (self.producer, *self.members))
            unread = sorted({(ack[1], ack[2]) for ack in self.producer.acks} - self.seen())
            said = f"acknowledged, not read: {len(unread)}, first {unread[:5]}\n{said}"
            held = [(len(m.records), m.assignments[-3:]) for m in self.members]
            raise AssertionError(f"{late}: acknowledged before {acked}, now {len(self.producer.acks)}; read {held}\n{said}") from None

    def check(self):
        """Nothing is lost, nothing twice, nothing out of order; the group has read everything."""
        self.stop.touch()
        self.producer.finish(PATIENCE)
        self.written = self.written[:len(self.producer.acks)]
        assert len(self.written) < MOST, "the story was longer than the records"
        ask.wait_for(lambda: self.drain() or len(self.seen()) >= len(self.written), "the group has read everything", PATIENCE)
        self.leave.touch()
        for member in self.members:
            member.finish(PATIENCE)
        assert len(self.seen()) == len(self.written)
        for index, partition, offset in self.producer.acks:
            assert (partition, offset) == (index % 3, index // 3), "each was acknowledged with the place it has"


def read_by_java(cluster, begin, story):
    stored = begin(JAVA, "consume", bootstrap=cluster.bootstrap, topic=story.topic, partitions=[0, 1, 2], group=None,
                   expect=len(story.written)).finish(PATIENCE).records
    records.check_same(story.written, stored)
    records.check_at_least_once(story.written, [r for m in story.members for r in m.records])
    assert all(leader >= 0 for leader, _ in cluster.partitions(story.topic).values())
    for partition in range(3):
        leader = cluster.node(cluster.partitions(story.topic)[partition][0])
        assert ask.offset(leader, story.topic, partition) == len(story.written[partition::3]), "nothing was written twice"


def test_brokers_are_killed_one_after_the_other(cluster, begin, tmp_path):
    story = UnderWay(cluster, begin, tmp_path, "killed")
    for node in cluster.nodes:
        node.kill()
        ask.wait_for(lambda: all(leader not in (-1, node.node_id) for leader, _ in cluster.partitions("killed").values()),
                     "others lead", PATIENCE)
        story.goes_on()
        node.start(timeout=PATIENCE)
        cluster.until_whole("killed", "__consumer_offsets")
    story.goes_on()
    story.check()
    read_by_java(cluster, begin, story)


def test_brokers_are_paused_one_after_the_other(cluster, begin, tmp_path):
    story = UnderWay(cluster, begin, tmp_path, "paused")
    for node in cluster.nodes:
        node.pause()
        ask.wait_for(lambda: all(leader not in (-1, node.node_id) for leader, _ in cluster.partitions("paused").values()),
                     "others lead", PATIENCE)
        story.goes_on()
        node.resume()
        cluster.until_whole("paused", "__consumer_offsets")
    story.goes_on()
    story.check()
    read_by_java(cluster, begin, story)


def test_a_consumer_reads_from_the_replica_in_its_rack(cluster, begin):
    """As the brokers see it: only the one that is near hands out records, once the leader has named it."""
    cluster.create_topic("near", 1)
    leader = cluster.partitions("near")[0][0]
    near = cluster.node(leader % 3 + 1)
    written = [[0, None, f"near-{i}", []] for i in range(300)]
    begin(OURS, "produce", bootstrap=cluster.bootstrap, topic="near", codec="none", idempotent=True, pace_ms=0,
          records=written).finish(PATIENCE)
    ask.set_config(near, 8, str(near.node_id), "kafka.request.logger", "DEBUG")
    reading = begin(OURS, "consume", bootstrap=cluster.bootstrap, topic="near", partitions=[0], group=None, expect=300,
                    settings={"client.rack": f"rack-{near.node_id}", "client.id": "near-reader"}).finish(PATIENCE)
    ask.set_config(near, 8, str(near.node_id), "kafka.request.logger", "WARN")
    records.check_same(written, reading.records)
    asked = [line for line in near.log_file.read_text(errors="replace").splitlines()
             if "near-reader" in line and '"requestApiKeyName":"FETCH"' in line]
    assert asked, "the replica in the rack was asked"

"""A node's contents as a story: what was written, committed and configured so far, by whom, and whether it is all still there.

The crossing tests tell one part of it on one program and check all of it on the other.
"""

from rig import ask, records, wire
from rig.wire import Writer

TRIMMED_AT = 30


class Story:
    def __init__(self, begin):
        self.begin = begin
        self.written = {}      # topic -> records, in the order of their offsets in each partition
        self.trimmed = {}      # (topic, partition) -> log start
        self.commits = {}      # group -> topic -> {partition: offset}
        self.configs = {}      # topic -> {key: value}
        self.latest = {}       # topic, compacted -> {key: newest value or None}
        self.gone = set()
        self.chapter = 0

    # Telling.

    def tell(self, node) -> None:
        """One more chapter: everything is written to, and there is something new of each kind."""
        self.chapter += 1
        tag = f"{node.kind}{self.chapter}"
        for codec, client in (("none", "kcat"), ("gzip", "confluent-kafka"), ("snappy", "java-4.3.0"), ("lz4", "confluent-kafka"),
                              ("zstd", "java-4.3.0")):
            self.write(node, f"codec-{codec}", f"{tag}-{codec}", 90, codec, client)
        self.create(node, f"new-in-{self.chapter}", 2, {"retention.ms": 100000000 + self.chapter, "message.timestamp.type": "LogAppendTime"})
        self.write(node, f"new-in-{self.chapter}", tag, 30, "none", "confluent-kafka", partitions=2)
        self.compacted(node, tag)
        self.trim(node, tag)
        self.commit(node, tag)
        self.set_config(node, "codec-none", "max.message.bytes", str(2000000 + self.chapter))
        self.set_config(node, "codec-gzip", "segment.bytes", "1048576")
        self.create(node, f"deleted-in-{self.chapter}", 1)
        self.delete(node, f"deleted-in-{self.chapter}")
        self.more_partitions(node)

    def create(self, node, topic, partitions=3, configs=None):
        if topic not in self.written:
            ask.create_topic(node, topic, partitions, configs)
            self.written[topic] = []
            self.configs[topic] = {k: str(v) for k, v in (configs or {}).items()}

    def write(self, node, topic, tag, count, codec, client, partitions=3):
        self.create(node, topic, partitions)
        rows = records.make(tag, count, partitions)
        self.begin(client, "produce", bootstrap=node.bootstrap, topic=topic, codec=codec, idempotent=True, pace_ms=0,
                   records=rows).finish()
        self.written[topic] += rows

    def compacted(self, node, tag):
        """Many versions of few keys over several segments, and a tombstone; the cleaner runs as it likes."""
        topic = "compacted"
        if topic not in self.latest:
            ask.create_topic(node, topic, 1, {"cleanup.policy": "compact", "segment.ms": 1000, "min.cleanable.dirty.ratio": "0.01"})
            self.latest[topic] = {}
        rows = [[0, f"k{i % 7}", f"{tag}-{i}" + "x" * 50, []] for i in range(200)] + [[0, f"k{self.chapter}", None, []]]
        self.begin("confluent-kafka", "produce", bootstrap=node.bootstrap, topic=topic, codec="lz4", idempotent=True, pace_ms=0,
                   records=rows).finish()
        for _, key, value, _ in rows:
            self.latest[topic][key] = value

    def trim(self, node, tag):
        topic = "trimmed"
        self.write(node, topic, tag, 120, "none", "confluent-kafka")
        low = self.trimmed.get((topic, 1), 0) + TRIMMED_AT
        body = Writer().array([topic], lambda w, t: w.string(t).array([1], lambda w2, p: w2.i32(p).i64(low))).i32(10000)
        with node.connect() as connection:
            answer = connection.call(wire.DELETE_RECORDS, 1, body)
            answer.i32()
            rows = answer.array(lambda r: (r.string(), r.array(lambda q: (q.i32(), q.i64(), q.i16()))))
        assert rows[0][1] == [(1, low, 0)]
        self.trimmed[(topic, 1)] = low

    def commit(self, node, tag):
        """A group reads one chapter's worth and commits; another stores offsets without ever having had members."""
        topic, group = "codec-gzip", "readers"
        got = self.begin("confluent-kafka", "consume", bootstrap=node.bootstrap, topic=topic, partitions=[0, 1, 2], group=group,
                         expect=60).finish().records
        mine = self.commits.setdefault(group, {}).setdefault(topic, {})
        for partition, offset, *_ in got:
            assert offset == mine.get(partition, 0), "the group goes on where it was"
            mine[partition] = offset + 1
        simple = {0: 10 + self.chapter, 2: 0}
        body = Writer().string("simple").i32(-1).string("").i64(-1)
        body.array([topic], lambda w, t: w.string(t).array(
            list(simple.items()), lambda w2, po: w2.i32(po[0]).i64(po[1]).string(f"note {tag}")))
        with node.connect() as connection:
            answer = connection.call(wire.OFFSET_COMMIT, 2, body)
            rows = answer.array(lambda r: (r.string(), r.array(lambda q: (q.i32(), q.i16()))))
        assert rows == [(topic, [(0, 0), (2, 0)])]
        self.commits["simple"] = {topic: simple}

    def set_config(self, node, topic, key, value):
        body = Writer().array([topic], lambda w, t: w.i8(2).string(t).array(
            [(key, value)], lambda w2, kv: w2.string(kv[0]).i8(0).string(kv[1]))).boolean(False)
        with node.connect() as connection:
            answer = connection.call(wire.INCREMENTAL_ALTER_CONFIGS, 0, body)
            answer.i32()
            assert [r[0] for r in answer.array(lambda r: (r.i16(), r.string(), r.i8(), r.string()))] == [0]
        self.configs[topic][key] = value

    def delete(self, node, topic):
        with node.connect() as connection:
            answer = connection.call(wire.DELETE_TOPICS, 1, Writer().array([topic], Writer.string).i32(10000))
            answer.i32()
            assert answer.array(lambda r: (r.string(), r.i16())) == [(topic, 0)]
        del self.written[topic], self.configs[topic]
        self.gone.add(topic)

    def more_partitions(self, node):
        topic, count = "growing", self.chapter
        if self.chapter == 1:
            return self.create(node, topic, count)
        body = Writer().array([topic], lambda w, t: w.string(t).i32(count).array(None)).i32(10000).boolean(False)
        with node.connect() as connection:
            answer = connection.call(wire.CREATE_PARTITIONS, 0, body)
            answer.i32()
            assert answer.array(lambda r: (r.string(), r.i16(), r.string()))[0][1] == 0
        ask.wait_for(lambda: ask.topic_partitions(node, topic) == count, "the topic has grown")

    # Checking.

    def check(self, node) -> None:
        self.check_topics(node)
        self.check_records(node)
        self.check_compacted(node)
        self.check_commits(node)
        self.check_configs(node)

    def check_topics(self, node):
        for topic in self.gone:
            assert ask.topic_partitions(node, topic) is None, f"{topic} was deleted"
        ask.wait_for(lambda: ask.topic_partitions(node, "growing") == self.chapter, "CreatePartitions lasted")

    def check_records(self, node):
        for topic, written in self.written.items():
            expected, passed = [], {}
            for row in written:
                passed[row[0]] = passed.get(row[0], -1) + 1
                if passed[row[0]] >= self.trimmed.get((topic, row[0]), 0):
                    expected.append(row)
            if not expected:
                continue
            for partition, count in passed.items():
                assert ask.offset(node, topic, partition, -1) == count + 1, f"the end of {topic}-{partition}"
                assert ask.offset(node, topic, partition, -2) == self.trimmed.get((topic, partition), 0), f"the start of {topic}-{partition}"
                ask.batches(node, topic, partition, self.trimmed.get((topic, partition), 0))  # checks every checksum
            got = self.begin("confluent-kafka", "consume", bootstrap=node.bootstrap, topic=topic, partitions=list(passed), group=None,
                             expect=len(expected)).finish().records
            records.check_same(expected, got)

    def check_compacted(self, node):
        """Older versions of a key may be there or not; the newest must be, unless it is a tombstone whose time is over."""
        for topic, latest in self.latest.items():
            stored = ask.batches(node, topic, 0)
            count = sum(b.count for b in stored)
            got = self.begin("confluent-kafka", "consume", bootstrap=node.bootstrap, topic=topic, partitions=[0], group=None,
                             expect=count).finish().records
            records.check_rising(got)
            newest = {key: value for _, _, key, value, _ in got}
            assert newest == latest

    def check_commits(self, node):
        for group, topics in self.commits.items():
            for topic, offsets in topics.items():
                found = ask.committed(node, group, topic, list(offsets))
                assert found == offsets, f"group {group} on {topic}"

    def check_configs(self, node):
        topics = [t for t, c in self.configs.items() if c]
        body = Writer().array(topics, lambda w, t: w.i8(2).string(t).array(None)).boolean(False)
        with node.connect() as connection:
            answer = connection.call(wire.DESCRIBE_CONFIGS, 1, body)
            answer.i32()

            def row(r):
                entry = (r.string(), r.string(), r.boolean(), r.i8(), r.boolean())
                r.array(lambda s: (s.string(), s.string(), s.i8()))
                return entry

            rows = answer.array(lambda r: (r.i16(), r.string(), r.i8(), r.string(), r.array(row)))
        for error, _, _, topic, entries in rows:
            assert error == 0
            of_topic = {name: value for name, value, _, source, _ in entries if source == 1}
            assert of_topic == self.configs[topic], f"dynamic configuration of {topic}"



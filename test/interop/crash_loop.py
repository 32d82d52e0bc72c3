#!/usr/bin/env python3
"""kill -9 in a loop under load: nothing acknowledged is lost, nothing is there twice, the order of a partition is kept.

    python3 test/interop/crash_loop.py [--cycles 15] [--target barnabas|kafka] [--seed N] [--keep]

Idempotent confluent-kafka producers write numbered records all the time, a group reads and commits, and the node is killed
after a random while, mostly while it works, now and then while it starts. After each start the log is read from the last
checked offset on and compared with the history. The first violation ends the run, names the cycle and keeps the directory.
"""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from rig import ask  # noqa: E402
from rig.barnabas import Barnabas  # noqa: E402
from rig.clients import BY_NAME  # noqa: E402
from rig.kafka import RealKafka  # noqa: E402

PARTITIONS = 4
WRITERS = 2
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


class Violation(Exception):
    pass


class Writer(threading.Thread):
    """An idempotent producer that writes writer/partition/number, numbers rising by one in each partition."""

    def __init__(self, name, bootstrap, topic, codec):
        super().__init__(daemon=True)
        from confluent_kafka import Producer
        self.label, self.topic = name, topic
        self.producer = Producer({
            "bootstrap.servers": bootstrap, "enable.idempotence": True, "compression.type": codec, "linger.ms": 2,
            "message.timeout.ms": 300000, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200, "retry.backoff.ms": 50,
            "retry.backoff.max.ms": 200, "socket.timeout.ms": 10000, "queue.buffering.max.messages": 20000})
        self.sent = [0] * PARTITIONS
        # number -> offset; None where the client only knows that it is there: a retry whose batch the broker, started again
        # from a producer snapshot (which keeps one batch of each producer, as Kafka's), refuses as out of order
        self.acked = [{} for _ in range(PARTITIONS)]
        self.failed = []
        self.stopping = threading.Event()

    def run(self):
        body = "x" * 200
        while not self.stopping.is_set():
            partition = random.randrange(PARTITIONS)
            number = self.sent[partition]
            try:
                self.producer.produce(self.topic, f"{self.label}/{partition}/{number}/{body}", partition=partition,
                                      on_delivery=lambda error, message, n=number: self.delivered(error, message, n))
                self.sent[partition] += 1
            except BufferError:
                pass
            self.producer.poll(0 if len(self.producer) < 2000 else 0.01)
            if random.random() < 0.05:
                time.sleep(0.002)

    def delivered(self, error, message, number):
        if error is not None:
            self.failed.append(f"{self.label} record {number}: {error}")
        else:
            self.acked[message.partition()][number] = message.offset()

    def finish(self):
        self.stopping.set()
        self.join()
        if self.producer.flush(120) != 0:
            self.failed.append(f"{self.label}: {len(self.producer)} records are still not delivered")


class Reader:
    """Follows the log by assignment and checks it against what the writers know."""

    def __init__(self, bootstrap, topic):
        from confluent_kafka import Consumer, TopicPartition
        self.topic = topic
        self.make = lambda: Consumer({
            "bootstrap.servers": bootstrap, "group.id": "checker", "enable.auto.commit": False, "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50, "enable.partition.eof": False, "check.crcs": True})
        self.place = TopicPartition
        self.next = [0] * PARTITIONS
        self.numbers = [{} for _ in range(PARTITIONS)]  # writer -> last number seen
        self.at = [{} for _ in range(PARTITIONS)]       # (writer, number) -> offset

    def catch_up(self, ends):
        consumer = self.make()
        consumer.assign([self.place(self.topic, p, self.next[p]) for p in range(PARTITIONS)])
        deadline = time.monotonic() + 60
        while any(self.next[p] < ends[p] for p in range(PARTITIONS)):
            for message in consumer.consume(1000, 0.2):
                if message.error():
                    if message.error().retriable() or message.error().code() < 0:
                        continue
                    raise Violation(f"reading: {message.error()}")
                self.see(message)
            if time.monotonic() > deadline:
                raise Violation(f"cannot read up to {ends}, came to {self.next}")
        consumer.close()

    def see(self, message):
        p, offset = message.partition(), message.offset()
        if offset < self.next[p]:
            return
        if offset != self.next[p]:
            raise Violation(f"partition {p}: offset {offset} after {self.next[p] - 1}")
        self.next[p] = offset + 1
        writer, partition, number, _ = message.value().decode().split("/")
        number = int(number)
        if int(partition) != p:
            raise Violation(f"a record of partition {partition} in {p} at offset {offset}")
        expected = self.numbers[p].get(writer, -1) + 1
        if number != expected:
            what = "twice" if number < expected else "lost, or the order is not kept"
            raise Violation(f"partition {p} offset {offset}: {writer} has number {number} where {expected} is next ({what})")
        self.numbers[p][writer] = number
        self.at[p][writer, number] = offset

    def compare(self, writers):
        """Everything acknowledged so far is in the log, at the offset that was acknowledged."""
        for writer in writers:
            for p in range(PARTITIONS):
                for number, offset in sorted(list(writer.acked[p].items())):
                    if offset is not None and offset >= self.next[p]:
                        break  # acknowledged after the end was asked for, as all later ones
                    found = self.at[p].get((writer.label, number))
                    if offset is None and number > self.numbers[p].get(writer.label, -1):
                        continue  # the same, as far as one can tell: the next cycle looks again
                    if found is None or (offset is not None and found != offset):
                        raise Violation(f"partition {p}: {writer.label} {number} was acknowledged at {offset}, is at {found}")


class Committer:
    """Commits offsets that only rise: after a crash the newest acknowledged commit is there."""

    def __init__(self, node):
        self.node, self.newest = node, -1

    def work(self):
        from rig import wire
        body = wire.Writer().string("committer").i32(-1).string("").i64(-1)
        body.array(["load"], lambda w, t: w.string(t).array([0], lambda w2, p: w2.i32(p).i64(self.newest + 1).string("")))
        try:
            with self.node.connect(timeout=5) as connection:
                answer = connection.call(wire.OFFSET_COMMIT, 2, body)
                if answer.array(lambda r: (r.string(), r.array(lambda q: (q.i32(), q.i16()))))[0][1] == [(0, 0)]:
                    self.newest += 1
        except (OSError, wire.Closed, wire.NoAnswer):
            pass  # whether it was stored is not known: one above the newest is allowed

    def check(self):
        found = ask.committed(self.node, "committer", "load", [0])[0]
        if found not in (self.newest, self.newest + 1):
            raise Violation(f"the group's offset {self.newest} was acknowledged, {found} is there")
        self.newest = found


def verify(node, reader, writers, committer):
    ends = [ask.offset(node, "load", p) for p in range(PARTITIONS)]
    reader.catch_up(ends)
    reader.compare(writers)
    committer.check()
    for writer in writers:
        if writer.failed:
            raise Violation(writer.failed[0])


def loop(node, cycles, seed) -> dict:
    chance = random.Random(seed)
    node.format()
    node.start()
    ask.create_topic(node, "load", PARTITIONS, {"segment.bytes": "1048576"})
    ask.coordinator_ready(node, "committer")
    writers = [Writer(f"w{i}", node.bootstrap, "load", chance.choice(CODECS)) for i in range(WRITERS)]
    reader, committer = Reader(node.bootstrap, "load"), Committer(node)
    restarts = []
    for writer in writers:
        writer.start()
    try:
        for cycle in range(cycles):
            until = time.monotonic() + chance.uniform(0.05, 0.8)
            while time.monotonic() < until:
                committer.work()
            node.kill()
            if chance.random() < 0.2:  # and again while it starts
                node.launch()
                time.sleep(chance.uniform(0.0, 0.15))
                node.kill()
            began = time.monotonic()
            try:
                node.start()
                restarts.append(time.monotonic() - began)
                verify(node, reader, writers, committer)
            except Exception as why:
                raise Violation(f"cycle {cycle} of seed {seed}: {why}") from why
        for writer in writers:
            writer.finish()
        verify(node, reader, writers, committer)
        if sum(reader.next) != sum(sum(w.sent) for w in writers):
            raise Violation(f"{sum(sum(w.sent) for w in writers)} records were sent, {sum(reader.next)} are there")
    finally:
        for writer in writers:
            writer.stopping.set()
    return {"records": sum(reader.next), "restart_max_s": round(max(restarts), 2), "restart_mean_s": round(sum(restarts) / len(restarts), 2)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=15)
    parser.add_argument("--target", choices=["barnabas", "kafka"], default="barnabas")
    parser.add_argument("--seed", type=int, default=random.randint(0, 1 << 30))
    parser.add_argument("--keep", action="store_true", help="keep the directory also when all is well")
    options = parser.parse_args()
    _, env = BY_NAME["confluent-kafka"].ready()
    sys.path.insert(0, env["PYTHONPATH"])
    place = Path(tempfile.mkdtemp(prefix="barnabas-crash-"))
    node = (Barnabas if options.target == "barnabas" else RealKafka)(place)
    try:
        told = loop(node, options.cycles, options.seed)
    except Violation as why:
        print(f"VIOLATION {why}\n{node.log_tail()}\nkept: {place}")
        return 1
    finally:
        node.close()
    if options.keep:
        print(f"kept: {place}")
    else:
        shutil.rmtree(place, ignore_errors=True)
    print(f"{options.cycles} kills, seed {options.seed}: {told['records']} records, nothing lost, nothing twice; "
          f"restart {told['restart_mean_s']} s mean, {told['restart_max_s']} s at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Three real Kafka nodes, broker and controller each: what is killed, paused and led by another is proven on it.

The test that made a cluster owns it and closes it, paused nodes too. Its topics have three replicas, two of which must
have what is acknowledged.
"""

import random
import signal
from pathlib import Path

from rig import ask, wire
from rig.kafka import RealKafka, java
from rig.wire import Writer


class Member(RealKafka):
    """One of the three."""

    def __init__(self, directory: Path, node_id: int, overrides: dict):
        self.node_id = node_id
        self.paused = False
        super().__init__(directory, overrides | {"node.id": node_id, "broker.rack": f"rack-{node_id}"})

    def server_argv(self):
        return java("kafka.Kafka", heap="256M", logging="server")

    def pause(self):
        """SIGSTOP: its sockets stay open and nothing answers."""
        self.process.send_signal(signal.SIGSTOP)
        self.paused = True

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.paused = False


class Cluster:
    kind = "kafka"

    def __init__(self, directory: Path, size: int = 3):
        replicated = {f"{topic}.replication.factor": size for topic in ("offsets.topic", "transaction.state.log", "default")}
        self.nodes = [Member(directory / f"node-{i}", i, replicated | {
            "min.insync.replicas": 2,
            "transaction.state.log.min.isr": 2,
            "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
            "controlled.shutdown.enable": "false",
        }) for i in range(1, size + 1)]
        controllers = ",".join(f"127.0.0.1:{node.controller_port}" for node in self.nodes)
        # A directory id is a UUID of 22 characters, the last of which has only four bits.
        ids = ["".join(random.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=21)) + "A" for _ in self.nodes]
        self.initial = ",".join(f"{node.node_id}@127.0.0.1:{node.controller_port}:{directory_id}"
                                for node, directory_id in zip(self.nodes, ids))
        for node in self.nodes:
            node.settings["controller.quorum.bootstrap.servers"] = controllers

    @property
    def bootstrap(self) -> str:
        return ",".join(node.bootstrap for node in self.nodes)

    def format(self) -> None:
        for node in self.nodes:
            node.format(features=(), who=("--initial-controllers", self.initial))

    def start(self, timeout: float = 180) -> "Cluster":
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            ask.wait_for(node.answers, f"node {node.node_id} answers", timeout)
        ask.wait_for(lambda: len(self.brokers()) == len(self.nodes), "all brokers are registered", timeout)
        return self

    def close(self) -> None:
        for node in self.nodes:
            if node.paused:
                node.resume()
            node.close()

    def node(self, node_id: int) -> Member:
        return self.nodes[node_id - 1]

    def any(self) -> Member:
        return next(node for node in self.nodes if node.running() and not node.paused)

    # What a live node says of the cluster.

    def _metadata(self, topics):
        with self.any().connect(timeout=30) as connection:
            answer = connection.call(wire.METADATA, 4, Writer().array(topics, Writer.string).boolean(False))
            answer.i32()
            brokers = answer.array(lambda r: (r.i32(), r.string(), r.i32(), r.string()))
            answer.string(), answer.i32()

            def partition(r):
                return r.i16(), r.i32(), r.i32(), r.array(wire.Reader.i32), r.array(wire.Reader.i32)

            return brokers, answer.array(lambda r: (r.i16(), r.string(), r.boolean(), r.array(partition)))

    def brokers(self) -> set[int]:
        return {row[0] for row in self._metadata([])[0]}

    def partitions(self, topic: str) -> dict:
        """{partition: (leader, ISR)}; the leader is -1 where there is none."""
        rows = self._metadata([topic])[1][0][3]
        return {number: (leader, set(isr)) for _, number, leader, _, isr in rows}

    def create_topic(self, topic: str, partitions: int) -> None:
        body = Writer().array([topic], lambda w, name: w.string(name).i32(partitions).i16(-1).array([]).array([]))

        body.i32(30000).boolean(False)

        def created():
            with self.any().connect(timeout=40) as connection:
                answer = connection.call(wire.CREATE_TOPICS, 4, body)
                answer.i32()
                return answer.array(lambda r: (r.string(), r.i16(), r.string()))[0][1] in (0, 36)

        ask.wait_for(created, f"{topic} is created", 60)
        self.until_whole(topic)

    def until_whole(self, *topics: str, timeout: float = 180) -> None:
        """Until every replica of every partition is in sync."""
        def whole():
            partitions = [state for topic in topics for state in self.partitions(topic).values()]
            return partitions and all(leader >= 0 and len(isr) == len(self.nodes) for leader, isr in partitions)
        ask.wait_for(whole, f"{topics} are whole again", timeout)

"""Apache Kafka 2.8 with its ZooKeeper: the oldest cluster our client is proven with. A process for each, from the
published jars, on the JDK that the new one uses."""

import subprocess
import time
from pathlib import Path

from rig import cache
from rig.node import Node, NodeFailed, free_port

VERSION = "2.8.2"
_ARTEFACTS = [f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.30"]


def _java(main_class: str) -> list[str]:
    libs = cache.maven(f"kafka-{VERSION}", _ARTEFACTS)
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx256M",
            "-Dzookeeper.admin.enableServer=false", "-cp", f"{libs}/*", main_class]


class OldKafka(Node):
    kind = "kafka-2.8"

    def __init__(self, directory: Path):
        self.zookeeper_port = free_port()
        self.zookeeper: subprocess.Popen | None = None
        super().__init__(directory)

    def default_settings(self):
        return {
            "broker.id": 1,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "zookeeper.connect": f"127.0.0.1:{self.zookeeper_port}",
            "zookeeper.session.timeout.ms": 4000,
            "log.dirs": self.data_dir,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 2,
            "group.initial.rebalance.delay.ms": 0,
            "log.index.size.max.bytes": 65536,
        }

    def server_argv(self):
        return _java("kafka.Kafka")

    def start(self, overrides=None, timeout=120):
        """After a kill the old self is registered until its session ends, and the new one is refused."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                return super().start(overrides, timeout)
            except NodeFailed:
                if time.monotonic() > deadline:
                    raise

    def launch(self, overrides=None):
        if self.zookeeper is None:
            self._launch_zookeeper()
        return super().launch(overrides)

    def _launch_zookeeper(self):
        settings = self.directory / "zookeeper.properties"
        settings.write_text(f"dataDir={self.directory / 'zookeeper'}\nclientPort={self.zookeeper_port}\n"
                            "clientPortAddress=127.0.0.1\ntickTime=1000\nadmin.enableServer=false\n")
        with open(self.directory / "zookeeper.log", "ab") as log:
            self.zookeeper = subprocess.Popen([*_java("org.apache.zookeeper.server.quorum.QuorumPeerMain"), str(settings)],
                                              stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def close(self):
        super().close()
        if self.zookeeper is not None:
            self.zookeeper.kill()
            self.zookeeper.wait()
            self.zookeeper = None

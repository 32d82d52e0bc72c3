"""The real Apache Kafka 4.3.0, from its published jars: the oracle of every test here, and its tools."""

import os
import subprocess
from pathlib import Path

from rig import cache
from rig.node import Node

VERSION = "4.3.0"
_ARTEFACTS = [f"org.apache.kafka:kafka_2.13:{VERSION}", f"org.apache.kafka:kafka-tools:{VERSION}",
              f"org.apache.kafka:kafka-shell:{VERSION}", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"]
_CONFIG = Path(__file__).parent / "log4j"
_QUICK_JVM = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto"]


def libs() -> Path:
    return cache.maven(f"kafka-{VERSION}", _ARTEFACTS)


def java(main_class: str, heap: str = "256M", logging: str = "tool") -> list[str]:
    return ["java", *_QUICK_JVM, f"-Xmx{heap}", f"-Dlog4j2.configurationFile={_CONFIG / (logging + '.properties')}",
            "-cp", f"{libs()}/*", main_class]


class RealKafka(Node):
    kind = "kafka"

    def server_argv(self):
        return java("kafka.Kafka", heap="512M", logging="server")

    def storage_argv(self):
        return java("kafka.tools.StorageTool")

    def start(self, overrides=None, timeout=90):
        return super().start(overrides, timeout)

    def tells(self, line):
        return "] INFO " not in line and (line.startswith("[") or "Exception" in line)


# The shell names of Kafka's tools and what they run.
TOOLS = {
    "kafka-topics": "TopicCommand",
    "kafka-console-producer": "ConsoleProducer",
    "kafka-console-consumer": "consumer.ConsoleConsumer",
    "kafka-consumer-groups": "consumer.group.ConsumerGroupCommand",
    "kafka-groups": "GroupsCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-producer-perf-test": "ProducerPerformance",
    "kafka-consumer-perf-test": "ConsumerPerformance",
    "kafka-verifiable-producer": "VerifiableProducer",
    "kafka-verifiable-consumer": "VerifiableConsumer",
    "kafka-get-offsets": "GetOffsetShell",
    "kafka-delete-records": "DeleteRecordsCommand",
    "kafka-log-dirs": "LogDirsCommand",
    "kafka-dump-log": "DumpLogSegments",
    "kafka-broker-api-versions": "BrokerApiVersionsCommand",
    "kafka-cluster": "ClusterTool",
    "kafka-features": "FeatureCommand",
    "kafka-metadata-quorum": "MetadataQuorumCommand",
    "kafka-e2e-latency": "EndToEndLatency",
}


def tool_argv(name: str, *arguments) -> list[str]:
    main = TOOLS[name]
    if not main.startswith("kafka."):
        main = "org.apache.kafka.tools." + main
    return [*java(main), *(str(a) for a in arguments)]


def tool(name: str, *arguments, stdin: str | None = None, timeout: float = 60, check: bool = True) -> str:
    """Runs one of Kafka's own tools; returns what it printed, both streams. A non-zero exit is a failure unless check is off."""
    done = subprocess.run(tool_argv(name, *arguments), input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout,
                          env={k: v for k, v in os.environ.items() if not k.startswith("KAFKA_")})
    if check and done.returncode != 0:
        raise AssertionError(f"{name} {' '.join(str(a) for a in arguments)} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout

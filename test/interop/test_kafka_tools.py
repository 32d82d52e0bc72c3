"""Kafka's own command line tools of 4.3.0 against the node: what an operator types."""

import json
import random
import re

import pytest

from rig import ask, kafka


@pytest.fixture
def tool(node):
    def run(name, *arguments, **more):
        server = ["--bootstrap-server", node.bootstrap]
        return kafka.tool(name, *server, *arguments, **more)
    return run


@pytest.fixture
def topic():
    return f"tools-{random.randint(0, 1 << 30)}"


def test_topics(node, tool, topic):
    assert f"Created topic {topic}" in tool("kafka-topics", "--create", "--topic", topic, "--partitions", 3, "--replication-factor", 1,
                                            "--config", "retention.ms=86400000")
    assert topic in tool("kafka-topics", "--list").split()
    described = tool("kafka-topics", "--describe", "--topic", topic)
    assert "PartitionCount: 3" in described and "ReplicationFactor: 1" in described and "retention.ms=86400000" in described
    assert len(re.findall(r"Leader: 1\s+Replicas: 1\s+Isr: 1", described)) == 3
    tool("kafka-topics", "--alter", "--topic", topic, "--partitions", 5)
    ask.wait_for(lambda: ask.topic_partitions(node, topic) == 5, "the topic has grown")
    tool("kafka-topics", "--delete", "--topic", topic)
    ask.wait_for(lambda: ask.topic_partitions(node, topic) is None, "the topic is gone")


def test_console_producer_and_consumer_and_the_group_tools(node, tool, topic):
    ask.create_topic(node, topic, 3)
    group = f"{topic}-group"
    lines = [f"k{i}:value {i} ü" for i in range(30)]
    tool("kafka-console-producer", "--topic", topic, "--reader-property", "parse.key=true", "--reader-property", "key.separator=:",
         "--compression-codec", "zstd", stdin="\n".join(lines) + "\n")
    shown = tool("kafka-console-consumer", "--topic", topic, "--from-beginning", "--group", group, "--max-messages", 30, "--timeout-ms", 20000,
                 "--formatter-property", "print.key=true", "--formatter-property", "key.separator=:")
    assert sorted(line for line in shown.splitlines() if line.startswith("k")) == sorted(lines)

    described = tool("kafka-consumer-groups", "--describe", "--group", group)
    rows = [line.split() for line in described.splitlines() if line.startswith(group)]
    assert len(rows) == 3 and sum(int(row[3]) for row in rows) == 30
    assert all(row[5] == "0" for row in rows), "no lag is left"
    assert group in tool("kafka-consumer-groups", "--list").split()
    assert group in tool("kafka-groups", "--list")
    assert "Empty" in tool("kafka-consumer-groups", "--describe", "--group", group, "--state")

    tool("kafka-consumer-groups", "--group", group, "--topic", topic, "--reset-offsets", "--to-earliest", "--execute")
    assert sum(max(0, o) for o in ask.committed(node, group, topic, [0, 1, 2]).values()) == 0
    tool("kafka-consumer-groups", "--group", group, "--topic", topic, "--delete-offsets")
    tool("kafka-consumer-groups", "--group", group, "--delete")
    assert group not in tool("kafka-consumer-groups", "--list").split()


def test_configs(node, tool, topic):
    ask.create_topic(node, topic, 1)
    entity = ["--entity-type", "topics", "--entity-name", topic]
    tool("kafka-configs", "--alter", *entity, "--add-config", "retention.ms=5000000,cleanup.policy=[compact,delete]")
    described = tool("kafka-configs", "--describe", *entity)
    assert "retention.ms=5000000" in described and "cleanup.policy=compact,delete" in described
    tool("kafka-configs", "--alter", *entity, "--delete-config", "retention.ms")
    assert "retention.ms=5000000" not in tool("kafka-configs", "--describe", *entity)
    assert "node.id=1" in tool("kafka-configs", "--describe", "--entity-type", "brokers", "--entity-name", "1", "--all")
    refused = tool("kafka-configs", "--alter", *entity, "--add-config", "retention.ms=soon", check=False)
    assert "InvalidConfigurationException" in refused or "Invalid value" in refused


def test_broker_loggers(node, tool):
    entity = ["--entity-type", "broker-loggers", "--entity-name", "1"]
    tool("kafka-configs", "--alter", *entity, "--add-config", "kafka.request.logger=ERROR")
    assert "kafka.request.logger=ERROR" in tool("kafka-configs", "--describe", *entity)
    tool("kafka-configs", "--alter", *entity, "--delete-config", "kafka.request.logger")
    assert "kafka.request.logger=ERROR" not in tool("kafka-configs", "--describe", *entity)
    refused = tool("kafka-configs", "--alter", *entity, "--delete-config", "root", check=False)
    assert "Removing the log level of the root logger is not allowed" in refused


def test_perf_tests(node, tool, topic):
    ask.create_topic(node, topic, 3)
    said = kafka.tool("kafka-producer-perf-test", "--topic", topic, "--num-records", 20000, "--record-size", 100, "--throughput", -1,
                      "--bootstrap-server", node.bootstrap)
    assert "20000 records sent" in said
    assert sum(ask.offset(node, topic, p) for p in range(3)) == 20000
    said = tool("kafka-consumer-perf-test", "--topic", topic, "--num-records", 20000, "--timeout", 20000)
    columns = said.strip().splitlines()[-1].split(",")
    assert int(float(columns[4])) >= 20000, said


def test_e2e_latency(node, tool, topic):
    ask.create_topic(node, topic, 1)
    said = tool("kafka-e2e-latency", "--topic", topic, "--num-records", 20, "--producer-acks", "all", "--record-size", 20)
    assert "Percentiles" in said


def test_verifiable_producer_and_consumer(node, tool, topic):
    ask.create_topic(node, topic, 2)
    said = tool("kafka-verifiable-producer", "--topic", topic, "--max-messages", 50, "--acks", -1)
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    sent = [e for e in events if e["name"] == "producer_send_success"]
    assert len(sent) == 50 and events[-1]["name"] == "tool_data" and events[-1]["acked"] == 50
    said = tool("kafka-verifiable-consumer", "--topic", topic, "--group-id", f"{topic}-g", "--max-messages", 50, "--reset-policy", "earliest",
                "--verbose")
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    read = [(e["partition"], e["offset"]) for e in events if e["name"] == "record_data"]
    assert sorted(read) == sorted((e["partition"], e["offset"]) for e in sent)
    assert all(e["success"] for e in events if e["name"] == "offsets_committed")


def test_get_offsets_and_delete_records_and_log_dirs(node, tool, topic, tmp_path):
    ask.create_topic(node, topic, 2)
    kafka.tool("kafka-producer-perf-test", "--topic", topic, "--num-records", 100, "--record-size", 10, "--throughput", -1,
               "--bootstrap-server", node.bootstrap)
    said = tool("kafka-get-offsets", "--topic", topic)
    ends = {int(p): int(o) for t, p, o in (line.split(":") for line in said.split() if line.startswith(topic))}
    assert sum(ends.values()) == 100 and set(ends) == {0, 1}

    wanted = {"version": 1, "partitions": [{"topic": topic, "partition": 0, "offset": min(5, ends[0])}]}
    (tmp_path / "records.json").write_text(json.dumps(wanted))
    said = tool("kafka-delete-records", "--offset-json-file", tmp_path / "records.json")
    assert f"partition: {topic}-0\tlow_watermark: {min(5, ends[0])}" in said
    said = tool("kafka-get-offsets", "--topic", topic, "--time", "earliest")
    assert f"{topic}:0:{min(5, ends[0])}" in said.split()

    said = tool("kafka-log-dirs", "--describe", "--topic-list", topic)
    [answer] = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    [directory] = answer["brokers"][0]["logDirs"]
    assert directory["error"] is None and directory["logDir"] == str(node.data_dir)
    assert sorted(p["partition"] for p in directory["partitions"]) == [f"{topic}-0", f"{topic}-1"]


def test_what_the_broker_and_the_cluster_say_of_themselves(node, tool):
    versions = tool("kafka-broker-api-versions")
    assert f"{node.bootstrap} (id: 1 rack: null" in versions
    assert "Produce(0): 0 to 13" in versions and "UNKNOWN" not in versions
    assert "Cluster ID: " in kafka.tool("kafka-cluster", "cluster-id", "--bootstrap-server", node.bootstrap)
    features = tool("kafka-features", "describe")
    assert re.search(r"metadata.version\s.*FinalizedVersionLevel: 4\.\d", features)

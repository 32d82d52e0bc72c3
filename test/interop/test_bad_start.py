"""Starts that must not succeed: exit code 1, one clear sentence, nothing touched. What Kafka prints is its own business: of it only the failure is asked."""

import re
import socket
import subprocess

import pytest

from rig import ask, wire
from rig.node import free_port

SECONDS = 30


def refused(node, *words: str) -> str:
    """The node does not start; Barnabas says why in one line that has all the words in it."""
    if not node.running():
        node.launch()
    try:
        status = node.wait_exit(SECONDS)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{node.kind} goes on running\n{node.log_tail()}") from None
    assert status == 1, f"exit status {status}\n{node.log_tail()}"
    if node.kind != "barnabas":
        return ""
    lines = [line for line in node.log_file.read_text().splitlines() if all(re.search(re.escape(w), line, re.I) for w in words)]
    assert lines, f"no line has {words} in it\n{node.log_tail()}"
    text = node.log_file.read_text()
    assert "terminate called" not in text and "CHECK" not in text and "Sanitizer" not in text
    return lines[-1]


def test_a_port_in_use(own_node):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", own_node.port))
        taken.listen()
        refused(own_node, str(own_node.port))


def test_a_second_node_on_the_same_directory(own_node, make_node, target):
    own_node.start()
    second = make_node(target)
    second.take_over_settings_of(own_node)
    refused(second, str(own_node.data_dir))
    if own_node.kind == "barnabas":  # Kafka opens the metadata log before it asks for the lock, which can bring the first one down
        assert own_node.answers(), "the first one is not disturbed"


def test_the_directory_is_free_again_after_a_kill(own_node, make_node, target):
    own_node.start()
    own_node.kill()
    second = make_node(target).take_over(own_node)
    second.start()
    assert second.answers()


def test_a_directory_that_cannot_be_read(own_node):
    """A file stands where the directory should be: the tests may run as root, whom no mode keeps out."""
    blocked = own_node.directory / "blocked"
    blocked.write_text("this is a file")
    own_node.settings["log.dirs"] = blocked / "data"
    refused(own_node, str(blocked))


def test_two_directories_of_different_clusters(own_node):
    other = own_node.directory / "foreign"
    other.mkdir()
    mine = (own_node.data_dir / "meta.properties").read_text()
    foreign = re.sub(r"cluster\.id=.*", "cluster.id=ForeignClusterIdBBBBBB", mine)
    foreign = re.sub(r"directory\.id=.*", "directory.id=Zm9yZWlnbmRpcmVjdG9yeQ", foreign)
    (other / "meta.properties").write_text(foreign)
    own_node.settings["log.dirs"] = f"{own_node.data_dir},{other}"
    refused(own_node, "ForeignClusterIdBBBBBB")


def test_a_directory_of_another_node_id(own_node):
    properties = own_node.data_dir / "meta.properties"
    properties.write_text(properties.read_text().replace("node.id=1", "node.id=7"))
    refused(own_node, "node.id", "7")


def test_a_wrong_value_is_told_with_its_line(own_node):
    own_node.settings["num.io.threads"] = "many"
    own_node.write_properties()
    line = own_node.properties_file.read_text().splitlines().index("num.io.threads=many") + 1
    said = refused(own_node, "num.io.threads", "many")
    if own_node.kind == "barnabas":
        assert re.search(rf"\b{line}\b", said), f"line {line} is named: {said}"


@pytest.mark.parametrize("key, value", [("log.segment.bytes", "3"), ("message.max.bytes", "-5"), ("log.cleanup.policy", "shred"),
                                        ("compression.type", "middle-out"), ("listeners", "PLAINTEXT//127.0.0.1"), ("node.id", "one")])
def test_a_value_out_of_range(own_node, key, value):
    own_node.settings[key] = value
    refused(own_node, key)


def test_an_unknown_key_only_warns(own_node):
    own_node.start({"no.such.key": "x"})
    assert own_node.answers()
    if own_node.kind == "barnabas":
        assert "no.such.key" in own_node.log_file.read_text()


def test_a_missing_properties_file(own_node):
    missing = own_node.directory / "missing.properties"
    done = subprocess.run([*own_node.server_argv(), str(missing)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=SECONDS)
    assert done.returncode == 1
    assert "missing.properties" in done.stdout


def test_overrides_win_over_the_file(own_node):
    other = free_port()
    own_node.write_properties()
    listeners = f"PLAINTEXT://127.0.0.1:{other},CONTROLLER://127.0.0.1:{own_node.controller_port}"
    argv = [*own_node.server_argv(), str(own_node.properties_file), "--override", f"listeners={listeners}",
            "--override", f"advertised.listeners={listeners}"]
    own_node.port = other
    with open(own_node.log_file, "ab") as log:
        own_node.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    ask.wait_for(own_node.answers, "it answers on the other port", timeout=60)


def test_an_empty_directory_formats_itself(make_node, target):
    """Kafka refuses an unformatted directory; Barnabas formats it and says so."""
    node = make_node(target)
    if target == "kafka":
        refused(node)
        return
    node.start()
    properties = (node.data_dir / "meta.properties").read_text()
    cluster_id = re.search(r"cluster\.id=(.*)", properties)[1]
    assert cluster_id in node.log_file.read_text()
    node.restart()
    assert f"cluster.id={cluster_id}" in (node.data_dir / "meta.properties").read_text()


def test_a_formatted_directory_is_not_formatted_again(own_node):
    with pytest.raises(Exception) as failure:
        own_node.format(cluster_id="AnotherClusterIdCCCCCC")
    assert "exited with 1" in str(failure.value)


def test_the_offsets_topic_fits_a_node_of_one(own_node):
    """With Kafka's default of three replicas a single Kafka has no coordinator ever; Barnabas takes what brokers there are."""
    own_node.start({"offsets.topic.replication.factor": 3})
    if own_node.kind == "barnabas":
        ask.coordinator_ready(own_node, "any")
        return
    with own_node.connect() as connection:
        answer = connection.call(wire.FIND_COORDINATOR, 1, wire.Writer().string("any").i8(0))
        answer.i32()
        assert answer.i16() == 15

"""Data directories cross from the real Kafka to the node under test and back, after clean stops and after kill -9.

With --target kafka the guest is the real Kafka itself: what fails then is wrong in the test.
"""

import hashlib

import pytest

from rig.dump import check_directory
from rig.kafka import RealKafka
from rig.story import Story


def end(node, how: str) -> None:
    node.kill() if how == "kill" else node.stop()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_directory_of_the_real_kafka_is_taken_over_and_handed_back(target, make_node, begin, how):
    story = Story(begin)
    host = make_node("kafka", name="host")
    host.format()
    host.start()
    story.tell(host)
    end(host, how)

    guest = make_node(target, name="guest").take_over(host)
    guest.start()
    story.check(guest)
    story.tell(guest)
    story.check(guest)
    end(guest, how)
    if how == "stop":
        check_directory(guest.data_dir)

    host.start()
    story.check(host)
    story.tell(host)
    end(host, how)

    guest.start()
    story.check(guest)
    guest.stop()
    check_directory(guest.data_dir)


def test_a_directory_begun_by_the_node_under_test_is_taken_over_by_the_real_kafka(target, make_node, begin):
    story = Story(begin)
    first = make_node(target, name="first")
    first.format()
    first.start()
    story.tell(first)
    first.restart("kill")
    story.check(first)
    story.tell(first)
    first.stop()
    check_directory(first.data_dir)

    kafka = make_node("kafka", name="second").take_over(first)
    kafka.start()
    story.check(kafka)
    kafka.stop()


def fingerprints(directory) -> dict:
    return {str(f.relative_to(directory)): hashlib.sha256(f.read_bytes()).hexdigest()
            for f in sorted(directory.rglob("*")) if f.is_file()}


DEFAULT_FEATURES = ("transaction.version", "group.version", "share.version", "streams.version", "eligible.leader.replicas.version")


@pytest.mark.parametrize("started", [False, True], ids=["formatted", "started"])
def test_a_directory_with_higher_feature_levels_is_refused_and_left_alone(target, make_node, started):
    """What Kafka formats by default has features that Barnabas does not have yet. Kafka itself takes it, of course."""
    host = make_node("kafka", name="host")
    host.format(features=())
    if started:
        host.start()
        host.stop()
    before = fingerprints(host.data_dir)

    guest = make_node(target, name="guest").take_over(host)
    if isinstance(guest, RealKafka):
        guest.start().stop()
        return
    guest.launch()
    assert guest.wait_exit(20) == 1
    said = [line for line in guest.log_file.read_text().splitlines() if any(f in line for f in DEFAULT_FEATURES)]
    assert len(said) == 1, f"one sentence names the features:\n{guest.log_tail()}"
    named = [f for f in DEFAULT_FEATURES if f in said[0]]
    assert len(named) >= 1
    assert fingerprints(host.data_dir) == before, "the directory is not touched"



"""Hostile input: whatever comes, the node answers others, loses nothing and keeps its memory."""

import gzip
import random
import re
import socket
import struct
from pathlib import Path

import pytest

from rig import ask, batch, wire
from rig.wire import Writer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nodes():
    running = {}
    yield running
    for node in running.values():
        node.close()


@pytest.fixture
def victim(target, nodes, workplace):
    """A node that has something to lose; shared by the tests of this file, started again if one of them brings it down."""
    from conftest import KINDS
    node = nodes.get(target)
    if node is None:
        node = nodes[target] = KINDS[target](workplace / f"victim-{target}")
        node.format()
        node.start()
        ask.create_topic(node, "precious", 1)
        assert ask.produce(node, "precious", 0, batch.batch(b"keep", b"me")) == (0, 0)
    elif not node.running():
        node.start()
    yield node
    assert node.running(), f"{target} ended with {node.process.returncode}\n{node.log_tail(40)}"
    assert node.answers()
    [stored, *_] = ask.batches(node, "precious", 0)
    assert (stored.base_offset, stored.count) == (0, 2)


def resident_mib(node) -> float:
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


def advertised(node):
    with node.connect() as connection:
        answer = connection.call(wire.API_VERSIONS, 0, b"")
        answer.i16()
        return answer.array(lambda r: (r.i16(), r.i16(), r.i16()))


def poke(node, payload: bytes) -> None:
    """Sends a frame; an answer, a closed connection and silence are all right."""
    with node.connect(timeout=0.2) as connection:
        try:
            connection.send(payload)
            connection.receive()
        except (wire.Closed, wire.NoAnswer, OSError):
            pass


NOT_POKED = {wire.DELETE_TOPICS, wire.DELETE_RECORDS}  # chance must not delete what the test looks for


@pytest.mark.parametrize("seed", range(3))
def test_garbage_in_the_body_of_every_request(victim, seed):
    chance = random.Random(seed)
    for key, low, high in advertised(victim):
        if key in NOT_POKED or key not in wire.FLEXIBLE_FROM:
            continue
        version = chance.randint(low, high)
        body = chance.choice([
            chance.randbytes(chance.randint(0, 60)),
            b"\x7f\xff\xff\xff" * 8,                       # every length and count is huge
            b"\xff\xff\xff\xff\x07" * 8,                   # and every compact one
            b"\0" * chance.randint(0, 40),
        ])
        poke(victim, wire.request(key, version, body))


def test_huge_counts_cost_no_memory(victim):
    before = resident_mib(victim)
    for key, low, high in advertised(victim):
        if key not in NOT_POKED and key in wire.FLEXIBLE_FROM:
            for version in {low, high}:
                poke(victim, wire.request(key, version, b"\x7f\xff\xff\xf0" * 4))
                poke(victim, wire.request(key, version, b"\xff\xff\xff\xff\x07" * 4))
    if victim.kind == "barnabas":
        assert resident_mib(victim) < before + 32


def test_a_decompression_bomb_is_refused_cheaply(victim):
    before = resident_mib(victim)
    zeros = gzip.compress(b"\0" * (300 << 20))
    lying = gzip.compress(bytes(Writer().varint(2**31 - 1).out) + b"\0" * 100)
    for payload in (zeros, lying):
        data = batch.Batch(attributes=1, payload=payload).encode()
        error, base = ask.produce(victim, "precious", 0, data)
        assert error != 0 and base == -1
    if victim.kind == "barnabas":
        assert resident_mib(victim) < before + 64


def test_connections_that_say_nothing_or_half(victim):
    sockets = []
    try:
        for i in range(200):
            s = socket.create_connection(("127.0.0.1", victim.port), 5)
            sockets.append(s)
            if i % 2:
                s.sendall(struct.pack(">i", 100000) + b"\0" * 100)
        assert victim.answers()
    finally:
        for s in sockets:
            s.close()


def test_a_reader_that_does_not_read(victim):
    """Answers pile up for a client that sends and never reads; the node must not keep them all."""
    if ask.topic_partitions(victim, "big") is None:
        ask.create_topic(victim, "big", 1)
        for _ in range(20):
            ask.produce(victim, "big", 0, batch.batch(b"x" * 500_000))
    before = resident_mib(victim)
    fetch = Writer().i32(-1).i32(100).i32(1).i32(10 << 20).i8(0).i32(0).i32(-1)
    fetch.array(["big"], lambda w, t: w.string(t).array([0], lambda w2, p: w2.i32(p).i32(-1).i64(0).i64(-1).i32(10 << 20)))
    payload = wire.request(wire.FETCH, 11, fetch.array([]).string(""))
    connections = [victim.connect(timeout=0.5) for _ in range(5)]
    try:
        for connection in connections:
            try:
                for _ in range(100):
                    connection.send(payload)
            except (OSError, TimeoutError):
                pass  # the node has stopped reading from this one
        assert victim.answers()
        if victim.kind == "barnabas":
            assert resident_mib(victim) < before + 200, "5 clients have asked for 10 MB a hundred times each"
    finally:
        for connection in connections:
            connection.close()


def test_a_connection_reset_in_the_middle_of_a_frame(victim):
    for size in range(0, 60, 3):
        payload = wire.request(wire.METADATA, 1, Writer().array(["precious"], Writer.string))
        frame = (struct.pack(">i", len(payload)) + payload)[:size]
        with socket.create_connection(("127.0.0.1", victim.port), 5) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() sends a reset
            s.sendall(frame)

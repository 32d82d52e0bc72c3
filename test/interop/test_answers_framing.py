"""What a node does with frames and headers, right and wrong, byte by byte."""

import struct

import pytest

from rig import ask, batch, wire
from rig.wire import Reader, Writer

# What Kafka 4.3.0 says of the APIs that a broker of one node is good for. Produce 0 to 2 are only said to be there: librdkafka
# before 2.11.1 looks for them and would not compress otherwise.
RANGES = {
    wire.PRODUCE: (0, 13), wire.FETCH: (4, 18), wire.LIST_OFFSETS: (1, 11), wire.METADATA: (0, 13), wire.OFFSET_COMMIT: (2, 10),
    wire.OFFSET_FETCH: (1, 10), wire.FIND_COORDINATOR: (0, 6), wire.JOIN_GROUP: (0, 9), wire.HEARTBEAT: (0, 4), wire.LEAVE_GROUP: (0, 5),
    wire.SYNC_GROUP: (0, 5), wire.DESCRIBE_GROUPS: (0, 6), wire.LIST_GROUPS: (0, 5), wire.API_VERSIONS: (0, 4),
    wire.CREATE_TOPICS: (2, 7), wire.DELETE_TOPICS: (1, 6), wire.DELETE_RECORDS: (0, 2), wire.INIT_PRODUCER_ID: (0, 5),
    wire.OFFSET_FOR_LEADER_EPOCH: (2, 4), wire.DESCRIBE_CONFIGS: (1, 4), wire.ALTER_CONFIGS: (0, 2), wire.DESCRIBE_LOG_DIRS: (1, 5),
    wire.CREATE_PARTITIONS: (0, 3), wire.DELETE_GROUPS: (0, 2), wire.INCREMENTAL_ALTER_CONFIGS: (0, 1), wire.OFFSET_DELETE: (0, 0),
    wire.DESCRIBE_CLUSTER: (0, 2), wire.DESCRIBE_PRODUCERS: (0, 0), wire.DESCRIBE_TOPIC_PARTITIONS: (0, 0),
}

API_VERSIONS_3 = Writer().cstring("interop").cstring("1.0").tags()


def metadata_v1(topics=()):
    return Writer().array(list(topics), Writer.string)


def assert_closed(node, payload: bytes):
    """The request ends its connection without an answer; the node lives on."""
    with node.connect() as connection:
        connection.send(payload)
        assert connection.closed_by_server()
    assert node.answers()


# ApiVersions

@pytest.mark.parametrize("version, header", [(77, 2), (-1, 1)])
def test_an_unknown_version_of_api_versions_is_answered_in_version_0(node, version, header):
    with node.connect() as connection:
        answer = connection.call(wire.API_VERSIONS, version, API_VERSIONS_3, header_version=header)
        assert answer.rest() == bytes.fromhex("0023 00000001 0012 0000 0004")
        assert connection.usable()


def test_api_versions_77_with_the_header_of_version_1_closes(node):
    # The header of the highest known version is assumed: the tag section is missing.
    assert_closed(node, wire.request(wire.API_VERSIONS, 77, b"", header_version=1, client_id=None))


@pytest.mark.parametrize("name", ["", "a b"])
def test_an_ill_formed_software_name_is_an_invalid_request(node, name):
    with node.connect() as connection:
        answer = connection.call(wire.API_VERSIONS, 3, Writer().cstring(name).cstring("1.0").tags())
        assert answer.i16() == 42
        assert answer.carray(Reader.i16) == []
        assert connection.usable()


def test_api_versions_3_without_a_body_closes(node):
    assert_closed(node, wire.request(wire.API_VERSIONS, 3, b""))


def test_api_versions_says_the_same_in_every_version(node):
    def row(flexible):
        def read(r):
            found = r.i16(), r.i16(), r.i16()
            if flexible:
                r.tags()
            return found
        return read

    with node.connect() as connection:
        answers = []
        for version in range(5):
            answer = connection.call(wire.API_VERSIONS, version, API_VERSIONS_3 if version >= 3 else b"")
            assert answer.i16() == 0
            answers.append(answer.carray(row(True)) if version >= 3 else answer.array(row(False)))
            if version >= 1:
                assert answer.i32() == 0
            if version >= 3:
                answer.tags()
            answer.finish()
    assert all(a == answers[0] for a in answers)
    keys = [key for key, _, _ in answers[0]]
    assert keys == sorted(keys)
    ranges = {key: (low, high) for key, low, high in answers[0]}
    for key, wanted in RANGES.items():
        assert ranges.get(key) == wanted, f"versions of API {key}"


# Bodies and headers

@pytest.mark.parametrize("version", [0, 3])
def test_bytes_after_the_body_are_ignored(node, version):
    body = bytes(API_VERSIONS_3.out) if version else b""
    with node.connect() as connection:
        assert connection.call(wire.API_VERSIONS, version, body + b"rubbish").i16() == 0
        answer = connection.call(wire.METADATA, 1, bytes(metadata_v1().out) + b"rubbish")
        assert answer.i32() == 1


def test_unknown_tagged_fields_are_ignored(node):
    header = Writer().i16(wire.API_VERSIONS).i16(3).i32(5).string("interop").uvarint(1).uvarint(99).uvarint(2).raw(b"xy")
    body = Writer().cstring("interop").cstring("1.0").uvarint(1).uvarint(1000).uvarint(3).raw(b"xyz")
    with node.connect() as connection:
        connection.send(bytes(header.out + body.out))
        answer = connection.receive()
        assert (answer.i32(), answer.i16()) == (5, 0)


@pytest.mark.parametrize("length", [-1, -2, -32768])
def test_any_negative_length_of_the_client_id_is_null(node, length):
    with node.connect() as connection:
        connection.send(bytes(Writer().i16(wire.API_VERSIONS).i16(0).i32(1).i16(length).out))
        assert connection.receive().i32() == 1


def test_a_client_id_beyond_the_frame_closes(node):
    assert_closed(node, bytes(Writer().i16(wire.API_VERSIONS).i16(0).i32(1).i16(500).raw(b"abc").out))


def test_correlation_ids_are_echoed_in_the_order_of_the_requests(node):
    with node.connect() as connection:
        for correlation_id in (5, 3, -9):
            connection.post(wire.METADATA, 1, metadata_v1(), correlation_id=correlation_id)
        assert [connection.receive().i32() for _ in range(3)] == [5, 3, -9]


def test_a_slow_request_does_not_let_a_later_one_overtake(node):
    ask.create_topic(node, "framing-slow", 1)
    fetch = Writer().i32(-1).i32(300).i32(1).i32(1000).i8(0).i32(0).i32(-1)
    fetch.array(["framing-slow"], lambda w, t: w.string(t).array([0], lambda w2, p: w2.i32(p).i32(-1).i64(0).i64(-1).i32(1000)))
    fetch.array([]).string("")
    with node.connect() as connection:
        connection.post(wire.FETCH, 11, fetch, correlation_id=1)
        connection.post(wire.API_VERSIONS, 0, b"", correlation_id=2)
        assert [connection.receive().i32() for _ in range(2)] == [1, 2]


def test_what_came_before_an_unknown_key_is_answered_and_then_the_connection_ends(node):
    with node.connect() as connection:
        connection.post(wire.API_VERSIONS, 0, b"", correlation_id=1)
        connection.post(999, 0, b"", correlation_id=2, header_version=1)
        connection.post(wire.API_VERSIONS, 0, b"", correlation_id=3)
        assert connection.receive().i32() == 1
        assert connection.closed_by_server()


@pytest.mark.parametrize("key, version", [
    (wire.METADATA, 99), (wire.METADATA, -1), (wire.FETCH, 3), (wire.PRODUCE, 0), (wire.PRODUCE, 1), (wire.PRODUCE, 2),
    (999, 0), (-1, 0), (4, 0), (5, 0), (6, 0), (7, 0),
])
def test_an_unsupported_key_or_version_closes(node, key, version):
    assert_closed(node, wire.request(key, version, Writer().i32(-1).i32(0).i32(0).i32(0), header_version=1))


@pytest.mark.parametrize("key, version", [(wire.VOTE, 0), (wire.ALLOCATE_PRODUCER_IDS, 0)])
def test_a_request_of_the_controller_listener_closes_on_the_brokers(node, key, version):
    assert_closed(node, wire.request(key, version, b"\0" * 40))


@pytest.mark.parametrize("size", [0, -1, 104857601, 2**31 - 1, -2**31])
def test_an_impossible_size_closes_as_soon_as_it_is_read(node, size):
    with node.connect() as connection:
        connection.send_bytes(struct.pack(">i", size))
        assert connection.closed_by_server()
    assert node.answers()


@pytest.mark.parametrize("size", [1, 3, 7])
def test_a_frame_too_short_for_a_header_closes(node, size):
    assert_closed(node, b"\0" * size)


def test_half_a_frame_waits_for_the_rest(node):
    with node.connect() as connection:
        payload = wire.request(wire.API_VERSIONS, 0, b"", correlation_id=8)
        frame = struct.pack(">i", len(payload)) + payload
        connection.send_bytes(frame[:7])
        assert not connection.closed_by_server(timeout=0.3)
        connection.socket.settimeout(10)
        connection.send_bytes(frame[7:])
        assert connection.receive().i32() == 8


@pytest.mark.parametrize("hello", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes.fromhex("160301020001000001fc0303") + b"\0" * 60],
                         ids=["http", "tls"])
def test_another_protocol_closes(node, hello):
    with node.connect() as connection:
        connection.send_bytes(hello)
        assert connection.closed_by_server()


@pytest.mark.parametrize("count", [5, 2**31 - 1])
def test_an_array_longer_than_the_frame_closes(node, count):
    assert_closed(node, wire.request(wire.METADATA, 1, Writer().i32(count)))


def test_any_negative_array_length_is_the_null_array(node):
    with node.connect() as connection:
        answer = connection.call(wire.METADATA, 1, Writer().i32(-2))
        assert answer.i32() == 1  # brokers
        assert connection.usable()


@pytest.mark.parametrize("key, body", [(wire.SASL_HANDSHAKE, Writer().string("PLAIN")), (wire.SASL_AUTHENTICATE, Writer().bytes(b"x"))],
                         ids=["handshake", "authenticate"])
def test_sasl_on_a_plaintext_listener_is_an_illegal_state(node, key, body):
    with node.connect() as connection:
        assert connection.call(key, 1, body).i16() == 34
        assert connection.usable()


# acks=0

def produce_without_acks(connection, topic, data):
    body = Writer().string(None).i16(0).i32(1000)
    body.array([topic], lambda w, t: w.string(t).array([0], lambda w2, p: w2.i32(p).bytes(data)))
    connection.post(wire.PRODUCE, 7, body)


def test_a_produce_without_acks_has_no_answer(node):
    ask.create_topic(node, "framing-acks0", 1)
    with node.connect() as connection:
        produce_without_acks(connection, "framing-acks0", batch.batch(b"x"))
        produce_without_acks(connection, "framing-acks0", batch.batch(b"y"))
        correlation_id = connection.post(wire.API_VERSIONS, 0, b"")
        assert connection.receive().i32() == correlation_id
    ask.wait_for(lambda: ask.offset(node, "framing-acks0", 0) == 2, "both records are stored")


@pytest.mark.parametrize("topic, data", [("framing-acks0-b", batch.batch(b"x", crc=1)), ("framing-nowhere", batch.batch(b"x"))],
                         ids=["crc", "topic"])
def test_a_failed_produce_without_acks_closes(node, topic, data):
    if topic.endswith("-b"):
        ask.create_topic(node, topic, 1)
    with node.connect() as connection:
        produce_without_acks(connection, topic, data)
        assert connection.closed_by_server()

"""A small codec of the Kafka protocol that shares nothing with the programs and clients under test.

It knows bytes, frames and headers; the bodies of requests are built by the tests, next to what they expect. Reader and
Writer have the protocol's types as methods: `string` and `array` are the classic forms, `cstring` and `carray` the compact
ones, `tags` an empty tag section.
"""

import socket
import struct
import uuid

PRODUCE, FETCH, LIST_OFFSETS, METADATA = 0, 1, 2, 3
OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, JOIN_GROUP = 8, 9, 10, 11
HEARTBEAT, LEAVE_GROUP, SYNC_GROUP, DESCRIBE_GROUPS, LIST_GROUPS = 12, 13, 14, 15, 16
SASL_HANDSHAKE, API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, DELETE_RECORDS = 17, 18, 19, 20, 21
INIT_PRODUCER_ID, OFFSET_FOR_LEADER_EPOCH = 22, 23
DESCRIBE_CONFIGS, ALTER_CONFIGS, DESCRIBE_LOG_DIRS, SASL_AUTHENTICATE, CREATE_PARTITIONS = 32, 33, 35, 36, 37
DELETE_GROUPS, INCREMENTAL_ALTER_CONFIGS, OFFSET_DELETE = 42, 44, 47
VOTE, DESCRIBE_CLUSTER, DESCRIBE_PRODUCERS, ALLOCATE_PRODUCER_IDS, DESCRIBE_TOPIC_PARTITIONS = 52, 60, 61, 67, 75

# The first version with tagged fields; the request header has version 2 from there on, the response header version 1.
FLEXIBLE_FROM = {
    PRODUCE: 9, FETCH: 12, LIST_OFFSETS: 6, METADATA: 9, OFFSET_COMMIT: 8, OFFSET_FETCH: 6, FIND_COORDINATOR: 3,
    JOIN_GROUP: 6, HEARTBEAT: 4, LEAVE_GROUP: 4, SYNC_GROUP: 4, DESCRIBE_GROUPS: 5, LIST_GROUPS: 3, SASL_HANDSHAKE: 99,
    API_VERSIONS: 3, CREATE_TOPICS: 5, DELETE_TOPICS: 4, DELETE_RECORDS: 2, INIT_PRODUCER_ID: 2,
    OFFSET_FOR_LEADER_EPOCH: 4, DESCRIBE_CONFIGS: 4, ALTER_CONFIGS: 2, DESCRIBE_LOG_DIRS: 2, SASL_AUTHENTICATE: 2,
    CREATE_PARTITIONS: 2, DELETE_GROUPS: 2, INCREMENTAL_ALTER_CONFIGS: 1, OFFSET_DELETE: 99, VOTE: 0,
    DESCRIBE_CLUSTER: 0, DESCRIBE_PRODUCERS: 0, ALLOCATE_PRODUCER_IDS: 0, DESCRIBE_TOPIC_PARTITIONS: 0,
}


class Closed(Exception):
    """The server closed the connection instead of answering."""


class NoAnswer(Exception):
    """The server neither answered nor closed in the time given."""


class Short(Exception):
    """An answer ended before the field that was read."""


class Writer:
    def __init__(self):
        self.out = bytearray()

    def _pack(self, form, value):
        self.out += struct.pack(form, value)
        return self

    def i8(self, value): return self._pack(">b", value)
    def i16(self, value): return self._pack(">h", value)
    def i32(self, value): return self._pack(">i", value)
    def i64(self, value): return self._pack(">q", value)
    def boolean(self, value): return self._pack(">b", 1 if value else 0)

    def raw(self, data):
        self.out += data
        return self

    def uvarint(self, value):
        while value >= 0x80:
            self.out.append(value & 0x7F | 0x80)
            value >>= 7
        self.out.append(value)
        return self

    def varint(self, value):
        return self.uvarint((value << 1 ^ value >> 63) & 0xFFFFFFFFFFFFFFFF)

    def string(self, text):
        if text is None:
            return self.i16(-1)
        data = text.encode()
        return self.i16(len(data)).raw(data)

    def bytes(self, data):
        return self.i32(-1) if data is None else self.i32(len(data)).raw(data)

    def cstring(self, text):
        return self.cbytes(None if text is None else text.encode())

    def cbytes(self, data):
        return self.uvarint(0) if data is None else self.uvarint(len(data) + 1).raw(data)

    def array(self, items, put=None):
        """put(writer, item) for each item; None is the null array."""
        if items is None:
            return self.i32(-1)
        self.i32(len(items))
        for item in items:
            put(self, item)
        return self

    def carray(self, items, put=None):
        if items is None:
            return self.uvarint(0)
        self.uvarint(len(items) + 1)
        for item in items:
            put(self, item)
        return self

    def uuid(self, value):
        return self.raw(value.bytes if isinstance(value, uuid.UUID) else value)

    def tags(self):
        return self.uvarint(0)


class Reader:
    def __init__(self, data):
        self.data = bytes(data)
        self.at = 0
        self.correlation_id = None

    def raw(self, size):
        if size < 0 or self.at + size > len(self.data):
            raise Short(f"{size} bytes wanted at {self.at} of {len(self.data)}: {self.data.hex()}")
        piece = self.data[self.at:self.at + size]
        self.at += size
        return piece

    def _unpack(self, form, size): return struct.unpack(form, self.raw(size))[0]
    def i8(self): return self._unpack(">b", 1)
    def i16(self): return self._unpack(">h", 2)
    def i32(self): return self._unpack(">i", 4)
    def i64(self): return self._unpack(">q", 8)
    def boolean(self): return self.i8() != 0

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.raw(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def varint(self):
        value = self.uvarint()
        return value >> 1 ^ -(value & 1)

    def string(self):
        size = self.i16()
        return None if size < 0 else self.raw(size).decode()

    def bytes(self):
        size = self.i32()
        return None if size < 0 else self.raw(size)

    def cstring(self):
        data = self.cbytes()
        return None if data is None else data.decode()

    def cbytes(self):
        size = self.uvarint()
        return None if size == 0 else self.raw(size - 1)

    def array(self, get):
        count = self.i32()
        return None if count < 0 else [get(self) for _ in range(count)]

    def carray(self, get):
        count = self.uvarint()
        return None if count == 0 else [get(self) for _ in range(count - 1)]

    def uuid(self):
        return uuid.UUID(bytes=self.raw(16))

    def tags(self):
        """The tag section, as {tag: bytes}."""
        found = {}
        for _ in range(self.uvarint()):
            tag = self.uvarint()
            found[tag] = self.raw(self.uvarint())
        return found

    def rest(self):
        return self.data[self.at:]

    def finish(self):
        """The whole answer was read: a field too many is as wrong as one too few."""
        assert self.at == len(self.data), f"{len(self.data) - self.at} bytes left over: {self.rest().hex()}"


def flexible(key: int, version: int) -> bool:
    return version >= FLEXIBLE_FROM.get(key, 0)


def request(key, version, body, correlation_id=1, client_id="interop", header_version=None) -> bytes:
    """The bytes of a request without the size in front."""
    if header_version is None:
        header_version = 2 if flexible(key, version) else 1
    header = Writer().i16(key).i16(version).i32(correlation_id).string(client_id)
    if header_version >= 2:
        header.tags()
    return bytes(header.out) + bytes(body.out if isinstance(body, Writer) else body)


class Connection:
    def __init__(self, port: int, timeout: float = 10):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.correlation_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, payload: bytes) -> None:
        self.send_bytes(struct.pack(">i", len(payload)) + payload)

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except TimeoutError:
                raise NoAnswer(f"{len(data)} of {size} bytes came") from None
            except ConnectionError as error:
                raise Closed(str(error)) from None
            if not piece:
                raise Closed(f"after {len(data)} of {size} bytes")
            data += piece
        return data

    def receive(self) -> Reader:
        """The next answer, from its correlation id on."""
        return Reader(self._receive(struct.unpack(">i", self._receive(4))[0]))

    def post(self, key, version, body, **header) -> int:
        """Sends a request and does not wait for the answer."""
        self.correlation_id += 1
        header.setdefault("correlation_id", self.correlation_id)
        self.send(request(key, version, body, **header))
        return header["correlation_id"]

    def answer(self, key, version, correlation_id=None) -> Reader:
        reader = self.receive()
        reader.correlation_id = reader.i32()
        assert correlation_id is None or reader.correlation_id == correlation_id, "answers out of order"
        if flexible(key, version) and key != API_VERSIONS:
            reader.tags()
        return reader

    def call(self, key, version, body, **header) -> Reader:
        return self.answer(key, version, self.post(key, version, body, **header))

    def closed_by_server(self, timeout: float = 10) -> bool:
        """The server ends the connection without another byte."""
        self.socket.settimeout(timeout)
        try:
            data = self.socket.recv(1)
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        assert data == b"", "an answer came where the connection should be closed"
        return True

    def usable(self) -> bool:
        """Another request is answered on this connection."""
        return self.call(API_VERSIONS, 0, b"").i16() == 0

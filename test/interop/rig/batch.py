"""Record batches (magic 2) built by hand, right or wrong on purpose, and taken apart again."""

import gzip
import struct
import time
from dataclasses import dataclass, field

from rig.wire import Reader, Writer

_TABLE = []
for _n in range(256):
    for _ in range(8):
        _n = _n >> 1 ^ (0x82F63B78 if _n & 1 else 0)
    _TABLE.append(_n)

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
CODEC_NAMES = {number: name for name, number in CODECS.items()}


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def now_ms() -> int:
    return int(time.time() * 1000)


def record(offset_delta: int, value: bytes | None = b"v", key: bytes | None = b"k", timestamp_delta: int = 0,
           headers=(), size_error: int = 0) -> bytes:
    body = Writer().i8(0).varint(timestamp_delta).varint(offset_delta)
    for part in (key, value):
        body.varint(-1) if part is None else body.varint(len(part)).raw(part)
    body.varint(len(headers))
    for name, content in headers:
        body.varint(len(name)).raw(name)
        body.varint(-1) if content is None else body.varint(len(content)).raw(content)
    return bytes(Writer().varint(len(body.out) + size_error).raw(body.out).out)


@dataclass
class Batch:
    """Every field of a batch; None means what a right batch would have there."""
    records: list[bytes] = field(default_factory=lambda: [record(0)])
    base_offset: int = 0
    leader_epoch: int = -1
    magic: int = 2
    crc: int | None = None
    attributes: int = 0
    last_offset_delta: int | None = None
    base_timestamp: int | None = None
    max_timestamp: int | None = None
    producer_id: int = -1
    producer_epoch: int = -1
    base_sequence: int = -1
    count: int | None = None
    length: int | None = None
    payload: bytes | None = None

    def encode(self) -> bytes:
        timestamp = now_ms() if self.base_timestamp is None else self.base_timestamp
        payload = self.payload
        if payload is None:
            payload = b"".join(self.records)
            if self.attributes & 7 == CODECS["gzip"]:
                payload = gzip.compress(payload)
        last = len(self.records) - 1 if self.last_offset_delta is None else self.last_offset_delta
        count = len(self.records) if self.count is None else self.count
        longest = timestamp if self.max_timestamp is None else self.max_timestamp
        checked = struct.pack(">hiqqqhii", self.attributes, last, timestamp, longest, self.producer_id,
                              self.producer_epoch, self.base_sequence, count) + payload
        crc = crc32c(checked) if self.crc is None else self.crc
        tail = struct.pack(">ibI", self.leader_epoch, self.magic, crc) + checked
        length = len(tail) if self.length is None else self.length
        return struct.pack(">qi", self.base_offset, length) + tail


def batch(*values: bytes, **fields) -> bytes:
    """A batch of records with these values (one record "v" if none is given)."""
    if values:
        fields.setdefault("records", [record(i, value) for i, value in enumerate(values)])
    return Batch(**fields).encode()


@dataclass
class Stored:
    """The header of a batch as it came back, and its uncompressed records when it has no codec."""
    base_offset: int
    leader_epoch: int
    attributes: int
    last_offset_delta: int
    max_timestamp: int
    producer_id: int
    base_sequence: int
    count: int
    size: int
    whole: bool
    payload: bytes

    @property
    def codec(self) -> str:
        return CODEC_NAMES[self.attributes & 7]

    @property
    def control(self) -> bool:
        return bool(self.attributes & 32)

    def offsets(self) -> list[int]:
        reader, found = Reader(self.payload), []
        for _ in range(self.count):
            body = Reader(reader.raw(reader.varint()))
            body.i8(), body.varint()
            found.append(self.base_offset + body.varint())
        return found


def split(data: bytes | None) -> list[Stored]:
    """The batches of a fetch answer, the last of which may be cut; the checksum of each whole one is verified."""
    found, at, data = [], 0, data or b""
    while at + 61 <= len(data):
        base, length, epoch, magic, crc = struct.unpack_from(">qiibI", data, at)
        attributes, last, _, longest, pid, _, sequence, count = struct.unpack_from(">hiqqqhii", data, at + 21)
        end = at + 12 + length
        whole = end <= len(data)
        assert magic == 2
        assert not whole or crc32c(data[at + 21:end]) == crc, f"wrong checksum of the batch at offset {base}"
        found.append(Stored(base, epoch, attributes, last, longest, pid, sequence, count, 12 + length, whole, data[at + 61:end]))
        at = end
    return found

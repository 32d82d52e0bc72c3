"""A load generator for one broker: pre-built Produce requests, one in flight on each connection, so that nearly all of the work measured
is the broker's. Rates are bounded by this client; what counts is the broker's CPU time for each request."""

import os
import selectors
import socket
import struct
import time


def _table():
    rows = []
    for i in range(256):
        for _ in range(8):
            i = (i >> 1) ^ (0x82F63B78 if i & 1 else 0)
        rows.append(i)
    return rows


_CRC = _table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def batch(records, size):
    """One uncompressed batch of `records` records with random values of `size` bytes."""
    now, value, body = int(time.time() * 1000), os.urandom(size), b""
    for i in range(records):
        record = b"\0" + varint(0) + varint(i) + varint(-1) + varint(len(value)) + value + varint(0)
        body += varint(len(record)) + record
    body = struct.pack(">hiqqqhii", 0, records - 1, now, now, -1, -1, -1, records) + body
    return struct.pack(">qiibI", 0, 9 + len(body), -1, 2, crc32c(body)) + body


def frame(key, version, body):
    message = struct.pack(">hhih", key, version, 1, 5) + b"bench" + body
    return struct.pack(">i", len(message)) + message


def create_topic(name, partitions=1):
    """CreateTopics v2."""
    return frame(19, 2, struct.pack(">ih", 1, len(name)) + name + struct.pack(">ihii", partitions, 1, 0, 0) +
                 struct.pack(">ib", 120000, 0))


def produce(name, records, partition=0):
    """Produce v7, acks=all."""
    return frame(0, 7, struct.pack(">hhiih", -1, -1, 30000, 1, len(name)) + name +
                 struct.pack(">iii", 1, partition, len(records)) + records)


def error_of(response, name):
    """The partition's error code in a Produce v7 response."""
    return struct.unpack_from(">h", response, 4 + 4 + 4 + 2 + len(name) + 4 + 4)[0]


def ask(connection, request):
    connection.sendall(request)
    answer = connection.recv(65536)
    if not answer:
        raise ConnectionError("closed")
    return answer


def connect(port, deadline):
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.0005)


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    return int(open(f"/proc/{pid}/status").read().split("VmRSS:")[1].split()[0]) / 1024


def run(port, pid, request, connections, seconds):
    """(requests a second, CPU microseconds a request, CPU seconds a GB of requests)."""
    selector = selectors.DefaultSelector()
    sockets = [connect(port, time.monotonic() + 5) for _ in range(connections)]
    for each in sockets:
        selector.register(each, selectors.EVENT_READ)
        each.sendall(request)
    done, before, begin = 0, cpu_seconds(pid), time.monotonic()
    while time.monotonic() - begin < seconds:
        for key, _ in selector.select(1):
            if not key.fileobj.recv(65536):
                raise ConnectionError("the broker closed a connection under load")
            done += 1
            key.fileobj.sendall(request)
    took, used = time.monotonic() - begin, cpu_seconds(pid) - before
    for each in sockets:
        each.close()
    return done / took, used / max(done, 1) * 1e6, used / max(done * len(request) / 1e9, 1e-9)

"""The loop that all Python drivers share: a command as a JSON line in, events as JSON lines out."""

import json
import os
import sys
import threading
import traceback

_lock = threading.Lock()


def emit(**event):
    with _lock:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def ack(index, partition, offset):
    emit(ack=[index, partition, offset])


def assigned(partitions):
    emit(assigned=sorted(partitions))


def record(partition, offset, key, value, headers):
    emit(record=[partition, offset, text(key), text(value), [[name, text(content)] for name, content in headers or []]])


def text(data):
    return data.decode() if isinstance(data, (bytes, bytearray)) else data


def data(string):
    return None if string is None else string.encode()


def headers_of(headers):
    return [(name, data(content)) for name, content in headers]


def asked_to_leave(command) -> bool:
    return os.path.exists(command["until"])


def serve(**commands):
    for line in sys.stdin:
        command = json.loads(line)
        try:
            commands[command["do"]](command)
            emit(done=True)
        except Exception as error:  # the test wants to see it, whatever it is
            traceback.print_exc()
            emit(error=f"{type(error).__name__}: {error}")

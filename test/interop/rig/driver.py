"""A driver: a small program around one client library, which reads commands as JSON lines and prints events as JSON lines.

Every driver understands

    {"do": "create",  "bootstrap", "topic", "partitions", "configs"}
    {"do": "produce", "bootstrap", "topic", "codec", "idempotent", "pace_ms", "records": [[partition, key, value, headers]...]}
    {"do": "consume", "bootstrap", "topic", "partitions", "group", "expect"}      reads exactly so many; with a group: subscribes,
                                                                                  commits what it read, leaves
    {"do": "member",  "bootstrap", "topic", "group", "until"}                     a group member until the file `until` exists

and answers with {"ack": [index, partition, offset]}, {"record": [partition, offset, key, value, headers]},
{"assigned": [partitions]} as they happen, and {"done": true} or {"error": "why"} at the end. Partition -1 of an ack means that
the client does not tell. "settings" of a command, by Kafka's names, are understood by java-4.3.0 and barnabas-cpp, which has
more commands of its own (clients/barnabas_cpp/driver.h) and tells what came of them by {"told": [what, ...]}.
"""

import collections
import json
import queue
import subprocess
import threading
import time


class DriverFailed(AssertionError):
    pass


class Driver:
    """One process of a driver; runs one command at a time."""

    def __init__(self, name: str, argv: list[str], env: dict):
        self.name = name
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines = queue.SimpleQueue()
        self.complaints = collections.deque(maxlen=25)
        for target, stream in ((self._read_events, self.process.stdout), (self._read_complaints, self.process.stderr)):
            threading.Thread(target=target, args=(stream,), daemon=True).start()

    def _read_events(self, stream):
        for line in stream:
            self.lines.put(line)
        self.lines.put(None)

    def _read_complaints(self, stream):
        for line in stream:
            self.complaints.append(line.decode(errors="replace").rstrip()[:300])

    def begin(self, do: str, **command) -> "Running":
        self.process.stdin.write(json.dumps({"do": do, **command}).encode() + b"\n")
        self.process.stdin.flush()
        return Running(self, do)

    def close(self):
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        return "\n".join(f"  {self.name}: {line}" for line in self.complaints)


class Running:
    """A command under way. Events are collected as they are waited for."""

    def __init__(self, driver: Driver, do: str):
        self.driver, self.do = driver, do
        self.acks, self.records, self.assignments, self.told = [], [], [], []
        self.finished = False

    def step(self, deadline: float) -> None:
        """Takes one event."""
        try:
            line = self.driver.lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            self._fail(f"not done in time: {len(self.acks)} acks, {len(self.records)} records, assignments {self.assignments[-3:]}")
        if line is None:
            self._fail(f"the driver ended with {self.driver.process.wait()}")
        try:
            event = json.loads(line)
        except ValueError:
            self._fail(f"not an event: {line!r}")
        if "ack" in event:
            self.acks.append(event["ack"])
        elif "record" in event:
            self.records.append(event["record"])
        elif "assigned" in event:
            self.assignments.append(sorted(event["assigned"]))
        elif "told" in event:
            self.told.append(event["told"])
        elif "done" in event:
            self.finished = True
        elif "error" in event:
            self.finished = True
            self._fail(event["error"])

    def until(self, condition, timeout: float = 60) -> "Running":
        deadline = time.monotonic() + timeout
        while not condition(self):
            assert not self.finished, f"{self.driver.name} {self.do} was done before what was waited for"
            self.step(deadline)
        return self

    def drain(self) -> None:
        """Takes the events that are there already, without waiting."""
        while not self.finished and not self.driver.lines.empty():
            self.step(time.monotonic())

    def finish(self, timeout: float = 60) -> "Running":
        deadline = time.monotonic() + timeout
        while not self.finished:
            self.step(deadline)
        return self

    def _fail(self, why: str):
        self.driver.close()  # its state is unknown; the pool starts another
        raise DriverFailed(f"{self.driver.name} {self.do}: {why[:600]}\n{self.driver.said()}")

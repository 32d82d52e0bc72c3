"""A broker under test: a child process with a directory of its own, driven the same way whether it is the real Kafka or Barnabas.

The test that made a node owns it and closes it; close() ends the process by its id whatever state it is in. Ports are
fixed for the life of the node, so that clients find it again after a restart.
"""

import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from rig import wire

CLUSTER_ID = "InteropClusterIdAAAAAA"

# What both programs can do today: a directory formatted with these can cross from one to the other.
COMMON_FEATURES = ("transaction.version=0", "group.version=0", "share.version=0", "streams.version=0",
                   "eligible.leader.replicas.version=0")


class NodeFailed(Exception):
    pass


def free_port() -> int:
    """A port below the ephemeral range: no outgoing connection takes it while the node is down."""
    while True:
        port = random.randint(20000, 31999)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Node:
    kind = ""

    def __init__(self, directory: Path, overrides: dict | None = None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.data_dir = self.directory / "data"
        self.port = free_port()
        self.controller_port = free_port()
        self.settings = self.default_settings() | (overrides or {})
        self.process: subprocess.Popen | None = None
        self.starts = 0

    # What differs between the programs.

    def server_argv(self) -> list[str]:
        raise NotImplementedError

    def storage_argv(self) -> list[str]:
        raise NotImplementedError

    # What does not.

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def properties_file(self) -> Path:
        return self.directory / "server.properties"

    @property
    def log_file(self) -> Path:
        return self.directory / f"server-{self.kind}.log"

    def default_settings(self) -> dict:
        listeners = f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "listeners": listeners,
            "advertised.listeners": listeners,
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self.controller_port}",
            "log.dirs": self.data_dir,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 2,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 2,
            "group.initial.rebalance.delay.ms": 0,
            "log.index.size.max.bytes": 65536,
            # The first retention check would take records with the old timestamps that tests use, from a node that is
            # up within milliseconds in the middle of a test.
            "log.initial.task.delay.ms": 3600000,
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 500,
        }

    def write_properties(self) -> Path:
        self.properties_file.write_text("".join(f"{k}={v}\n" for k, v in self.settings.items()))
        return self.properties_file

    def format(self, features=COMMON_FEATURES, cluster_id: str = CLUSTER_ID, extra=(), who=("--standalone",)) -> str:
        argv = [*self.storage_argv(), "format", *who, "-t", cluster_id, "-c", str(self.write_properties())]
        for feature in features:
            argv += ["--feature", feature]
        done = subprocess.run([*argv, *extra], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=180)
        if done.returncode != 0:
            raise NodeFailed(f"{self.kind} storage format exited with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def launch(self, overrides: dict | None = None) -> subprocess.Popen:
        """Starts the process and does not wait for it to answer."""
        assert self.process is None or self.process.poll() is not None, "the node runs already"
        self.settings |= overrides or {}
        self.write_properties()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([*self.server_argv(), str(self.properties_file)], cwd=self.directory,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.starts += 1
        return self.process

    def start(self, overrides: dict | None = None, timeout: float = 60) -> "Node":
        self.launch(overrides)
        deadline = time.monotonic() + timeout
        while not self.answers():
            if self.process.poll() is not None:
                raise NodeFailed(f"{self.kind} exited with {self.process.returncode} at start\n{self.log_tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise NodeFailed(f"{self.kind} did not answer ApiVersions in {timeout} s\n{self.log_tail()}")
            time.sleep(0.02)
        return self

    def answers(self) -> bool:
        try:
            with wire.Connection(self.port, timeout=2) as connection:
                return connection.call(wire.API_VERSIONS, 0, b"").i16() == 0
        except (OSError, wire.Closed, wire.NoAnswer, wire.Short):
            return False

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout: float = 40) -> int:
        """SIGTERM, and the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise NodeFailed(f"{self.kind} did not stop within {timeout} s of SIGTERM\n{self.log_tail()}") from None

    def kill(self) -> None:
        """SIGKILL: nothing of the process survives but what it gave to the kernel."""
        if self.running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def restart(self, how: str = "stop", overrides: dict | None = None) -> "Node":
        self.kill() if how == "kill" else self.stop()
        return self.start(overrides)

    def wait_exit(self, timeout: float = 40) -> int:
        return self.process.wait(timeout)

    def connect(self, timeout: float = 10, port: int | None = None) -> wire.Connection:
        return wire.Connection(port or self.port, timeout)

    def log_tail(self, lines: int = 20) -> str:
        if not self.log_file.exists():
            return "(no log)"
        text = self.log_file.read_text(errors="replace").splitlines()
        text = [line for line in text[:-2] if self.tells(line)] + text[-2:]
        return "\n".join(f"  {self.kind}: {line[:240]}" for line in text[-lines:])

    def tells(self, line: str) -> bool:
        """Whether the line is worth showing when a test has failed."""
        return True

    def take_over(self, other: "Node") -> "Node":
        """The stopped other node's data directory, ports and settings become this node's: the crossing from one program to the other."""
        assert not other.running()
        self.data_dir, self.port, self.controller_port = other.data_dir, other.port, other.controller_port
        self.settings = dict(other.settings)
        return self

    def take_over_settings_of(self, other: "Node") -> "Node":
        """The same directory on ports of its own, while the other may be running."""
        listeners = self.default_settings()
        self.data_dir = other.data_dir
        self.settings = other.settings | {key: listeners[key] for key in (
            "listeners", "advertised.listeners", "controller.quorum.bootstrap.servers")}
        return self

    def close(self) -> None:
        self.kill()

    def wipe(self) -> None:
        self.close()
        shutil.rmtree(self.directory, ignore_errors=True)

"""The clients that Barnabas is proven with: what each can do, where its library comes from, how its driver is started."""

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from rig import barnabas, cache, kafka
from rig.driver import Driver

SOURCES = Path(__file__).parents[1] / "clients"
ALL_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


@dataclass
class Client:
    name: str
    prepare: Callable[[], tuple[list[str], dict]]  # the driver's command line and what it adds to the environment
    codecs: tuple = ALL_CODECS
    idempotent: bool = True
    creates_topics: bool = True
    tells_offsets: bool = True      # an ack carries partition and offset
    null_values: bool = True
    reads: bool = True              # its driver has consumers
    assigns_range: bool = True      # can share a group with other clients by the "range" assignor
    _ready: tuple | None = field(default=None, repr=False)
    _idle: list = field(default_factory=list, repr=False)

    def ready(self):
        if self._ready is None:
            try:
                self._ready = (self.prepare(), None)
            except cache.Unavailable as why:
                self._ready = (None, why)
        prepared, why = self._ready
        if why is not None:
            raise why
        return prepared

    def take(self) -> Driver:
        """An idle driver process or a new one; the caller gives it back or closes it."""
        while self._idle:
            driver = self._idle.pop()
            if driver.process.poll() is None:
                return driver
        argv, env = self.ready()
        return Driver(self.name, argv, {**os.environ, **env})

    def give_back(self, driver: Driver) -> None:
        if driver.process.poll() is None:
            self._idle.append(driver)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _pip(name: str, script: str, *packages: str):
    def prepare():
        def build(directory: Path):
            cache.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", directory,
                       *packages])
        place = cache.prepared(f"python-{name}", build)
        return [sys.executable, str(SOURCES / "python" / script)], {"PYTHONPATH": str(place)}
    return prepare


def _kcat():
    if not Path("/usr/bin/kcat").exists():
        raise cache.Unavailable("Debian's package kcat is not installed")
    return [sys.executable, str(SOURCES / "python" / "kcat_driver.py")], {}


def _java(version: str):
    def prepare():
        cache.need("javac")
        jackson = sorted(str(jar) for jar in kafka.libs().glob("jackson-*.jar"))
        jars = kafka.libs() if version == kafka.VERSION else cache.maven(
            f"kafka-clients-{version}", [f"org.apache.kafka:kafka-clients:{version}", "org.slf4j:slf4j-simple:1.7.30"])
        classpath = ":".join([*sorted(str(jar) for jar in jars.glob("*.jar") if not jar.name.startswith("jackson-")), *jackson])
        source = SOURCES / "java" / "Driver.java"

        def build(directory: Path):
            cache.run(["javac", "-nowarn", "-d", directory, "-cp", classpath, source])

        classes = cache.prepared(f"java-{version}-{cache.fingerprint(source)}", build)
        quiet = [f"-Dlog4j2.configurationFile={Path(kafka.__file__).parent / 'log4j' / 'tool.properties'}",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx256M", *quiet,
                "-cp", f"{classes}:{classpath}", "Driver"], {}
    return prepare


def _go(program: str):
    def prepare():
        cache.need("go")
        sources = SOURCES / "go"
        files = sorted(p for p in sources.rglob("*") if p.suffix in (".go", ".mod", ".sum"))

        def build(directory: Path):
            cache.run(["go", "build", "-o", str(directory) + "/", "./..."], cwd=sources)

        return [str(cache.prepared(f"go-{cache.fingerprint(*files)}", build) / program)], {}
    return prepare


def _rust():
    cache.need("cargo")
    sources = SOURCES / "rust"
    files = [sources / "Cargo.toml", sources / "Cargo.lock", sources / "src" / "main.rs"]
    target = cache.ROOT / "rust-target"  # kept, so that a changed driver does not build its dependencies again

    def build(directory: Path):
        cache.run(["cargo", "build", "--release", "--locked", "--target-dir", target, "--manifest-path", sources / "Cargo.toml"])
        shutil.copy(target / "release" / "barnabas-interop-rust", directory / "driver")

    return [str(cache.prepared(f"rust-{cache.fingerprint(*files)}", build) / "driver")], {}


def _cpp():
    """Our own client, built with the program under test: BARNABAS_CPP_DRIVER names another build of its driver."""
    built = Path(os.environ.get("BARNABAS_CPP_DRIVER") or barnabas.BINARY.with_name("barnabas_cpp_driver"))
    if not built.exists():
        raise cache.Unavailable(f"{built} is not built (ninja barnabas_cpp_driver)")
    return [str(built)], {}


def _node(script: str, native: bool = False):
    def prepare():
        cache.need("node", "npm")
        sources = SOURCES / "js"
        files = [sources / "package.json", sources / "package-lock.json"]

        def install(directory: Path):
            for file in files:
                shutil.copy(file, directory)
            cache.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=directory)

        modules = cache.prepared(f"js-{cache.fingerprint(*files)}", install)
        if native:
            # The package would fetch a ready binary from a host of its own; its bundled librdkafka is compiled instead,
            # against the libraries of the system.
            def compile_binding(directory: Path):
                shutil.copytree(modules, directory, dirs_exist_ok=True, symlinks=True)
                (directory / cache.STAMP).unlink()
                cache.run(["npm", "rebuild", "@confluentinc/kafka-javascript"], cwd=directory,
                          env={**os.environ, "CKJS_LINKING": "dynamic", "npm_config_build_from_source": "true"})

            cache.need("make", "g++")
            modules = cache.prepared(f"js-native-{cache.fingerprint(*files)}", compile_binding)
        return ["node", str(sources / script)], {"INTEROP_MODULES": str(modules / "node_modules")}
    return prepare


_PYTHON_CODECS = ("python-snappy==0.7.3", "lz4==4.4.5", "zstandard==0.25.0")

CLIENTS = [
    Client("kcat", _kcat, creates_topics=False, tells_offsets=False),
    Client("confluent-kafka", _pip("confluent-kafka-2.16.1", "confluent_driver.py", "confluent-kafka==2.16.1")),
    Client("java-4.3.0", _java("4.3.0")),
    Client("java-2.8.2", _java("2.8.2")),
    Client("kafka-python", _pip("kafka-python-3.0.12", "kafka_python_driver.py", "kafka-python==3.0.12", *_PYTHON_CODECS)),
    Client("kafka-python-2.0.2", _pip("kafka-python-2.0.2", "kafka_python_driver.py", "kafka-python==2.0.2", *_PYTHON_CODECS),
           idempotent=False),
    Client("aiokafka", _pip("aiokafka-0.14.0", "aiokafka_driver.py", "aiokafka==0.14.0", "cramjam==2.14.0")),
    Client("franz-go", _go("franz")),
    Client("sarama", _go("sarama")),
    Client("kafka-go", _go("kafkago"), idempotent=False),
    Client("kafkajs", _node("kafkajs.js"), codecs=("none", "gzip"), assigns_range=False),
    Client("confluent-kafka-javascript", _node("confluent.js", native=True)),
    Client("rust-rdkafka", _rust),
    Client("barnabas-cpp", _cpp),
]

BY_NAME = {client.name: client for client in CLIENTS}

"""./dev bench: what a node costs, beside Apache Kafka in the same run where its jars are (python3 test/interop/run.py --prepare gets them).

    ./dev bench                 node and record_batch
    ./dev bench node            start, memory, requests; ours with fsync, ours with page-cache, Kafka
    ./dev bench partitions      10,000 of them, idle: memory, descriptors, CPU, and starting again; ours only
    ./dev bench record_batch    the produce path's pure parts

Figures of a busy machine mean little: compare within one run only.
"""

import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import load

ROOT = pathlib.Path(__file__).resolve().parents[1]
BARNABAS = ROOT / "build" / "release" / "bin" / "barnabas"
JARS = pathlib.Path.home() / ".cache" / "barnabas" / "kafka-4.3.0" / "libs"
TOPIC = b"bench"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def measure(name, command, port, warm_seconds):
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = begin + 60
        one = load.produce(TOPIC, load.batch(1, 100))
        while True:
            try:
                connection = load.connect(port, deadline)
                load.ask(connection, load.create_topic(TOPIC))
                while load.error_of(load.ask(connection, one), TOPIC) != 0:
                    time.sleep(0.001)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        print(f"{name:22} start to first acknowledged record {(time.monotonic() - begin) * 1000:8.1f} ms", flush=True)
        connection.close()
        time.sleep(2)
        print(f"{name:22} resident, idle {load.resident_mib(process.pid):8.1f} MiB", flush=True)
        load.run(port, process.pid, one, 8, warm_seconds)
        for connections in (8, 64):
            rate, micros, _ = load.run(port, process.pid, one, connections, 5)
            print(f"{name:22} one record, {connections:2} connections {rate:8.0f} /s {micros:8.1f} us CPU each", flush=True)
        for label, records, size, connections in (("16 KiB batches", 150, 100, 8), ("1 MiB batches", 1000, 1024, 2)):
            request = load.produce(TOPIC, load.batch(records, size))
            load.run(port, process.pid, request, connections, warm_seconds / 2)
            rate, _, seconds = load.run(port, process.pid, request, connections, 5)
            print(f"{name:22} {label} {rate * len(request) / 1e6:8.0f} MB/s {seconds:8.2f} s CPU a GB", flush=True)
        print(f"{name:22} resident after it {load.resident_mib(process.pid):8.1f} MiB", flush=True)
    finally:
        process.terminate()
        process.wait()


def node():
    with tempfile.TemporaryDirectory() as folder:
        for durability in ("fsync", "page-cache"):
            port, controller = free_port(), free_port()
            measure(f"barnabas {durability}", [
                str(BARNABAS), "server", "--override", f"log.dirs={folder}/{durability}", "--override",
                f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}", "--override",
                f"barnabas.durability={durability}"
            ], port, 1)
        if not JARS.is_dir() or not shutil.which("java"):
            print("Apache Kafka is not here: its jars come with python3 test/interop/run.py --prepare")
            return
        port, controller = free_port(), free_port()
        properties = pathlib.Path(folder) / "server.properties"
        properties.write_text(f"""process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
log.dirs={folder}/kafka
""")
        java = ["java", "-Xms1G", "-Xmx1G", "-cp", f"{JARS}/*"]
        subprocess.run([*java, "kafka.tools.StorageTool", "format", "--standalone", "-t", "BenchClusterIdAAAAAAAA", "-c",
                        str(properties)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        measure("Apache Kafka 4.3.0", [*java, "kafka.Kafka", str(properties)], port, 20)


def partitions(count=10_000):
    def started(command, port):
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return begin, process, load.connect(port, begin + 60)

    def first_acknowledged(connection):
        one = load.produce(TOPIC, load.batch(1, 100), count - 1)
        while load.error_of(load.ask(connection, one), TOPIC) != 0:
            time.sleep(0.001)

    def idle(what, process):
        before = load.cpu_seconds(process.pid)
        time.sleep(10)
        print(f"{what:22} resident {load.resident_mib(process.pid):6.1f} MiB, "
              f"{len(list(pathlib.Path(f'/proc/{process.pid}/fd').iterdir()))} descriptors, "
              f"{load.cpu_seconds(process.pid) - before:.2f} s CPU in 10 s", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        port, controller = free_port(), free_port()
        command = [str(BARNABAS), "server", "--override", f"log.dirs={folder}/data", "--override",
                   f"listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"]
        begin, process, connection = started(command, port)
        try:
            connection.settimeout(120)
            load.ask(connection, load.create_topic(TOPIC, count))
            first_acknowledged(connection)
            print(f"{'created':22} in {time.monotonic() - begin:.2f} s")
            idle("created", process)
            for what in ("after a clean stop", "after a kill"):
                begin = time.monotonic()
                process.send_signal(signal.SIGTERM if what == "after a clean stop" else signal.SIGKILL)
                process.wait()
                print(f"{what:22} ended in {time.monotonic() - begin:.2f} s")
                begin, process, connection = started(command, port)
                first_acknowledged(connection)
                print(f"{what:22} first acknowledged record {(time.monotonic() - begin) * 1000:.0f} ms after the start")
                idle(what, process)
        finally:
            process.kill()
            process.wait()


def record_batch():
    subprocess.run(["ninja", "-C", str(ROOT / "build" / "release"), "record_batch_bench"], check=True)
    subprocess.run([str(ROOT / "build" / "release" / "bin" / "record_batch_bench")], check=True)


BENCHES = {"node": node, "partitions": partitions, "record_batch": record_batch}


def main():
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names:
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())

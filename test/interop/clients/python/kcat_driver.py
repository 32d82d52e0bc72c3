"""kcat, the command line client of Debian 12, on Debian's librdkafka 2.0.2. This driver only composes its command lines.

kcat says neither the offsets it was given nor how to create a topic; an ack here means that a line was handed to it, and a
produce is done when kcat has exited with 0, which it does when everything was delivered.
"""

import json
import os
import re
import subprocess
import threading
import time

import shell

KCAT = "/usr/bin/kcat"
DELIMITER, KEY_DELIMITER = "\x1e", "\x1f"


def settings(**values):
    return [part for name, value in values.items() for part in ("-X", f"{name.replace('_', '.')}={value}")]


def produce(command):
    runs = {}
    for index, (partition, key, value, headers) in enumerate(command["records"]):
        runs.setdefault((partition, json.dumps(headers)), []).append((index, key, value))
    for (partition, headers), lines in runs.items():
        argv = [KCAT, "-P", "-b", command["bootstrap"], "-t", command["topic"], "-p", str(partition), "-Z", "-q", "-E",
                "-K", KEY_DELIMITER, "-D", DELIMITER, "-z", command["codec"],
                *settings(enable_idempotence=str(command["idempotent"]).lower(), linger_ms=20, message_timeout_ms=120000)]
        for name, content in json.loads(headers):
            argv += ["-H", f"{name}={content}"]
        kcat = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=None, bufsize=0)
        for index, key, value in lines:
            line = (key or "") + KEY_DELIMITER + (value or "") + DELIMITER
            kcat.stdin.write(line.encode())
            shell.ack(index, -1, -1)
            time.sleep(command["pace_ms"] / 1000)
        kcat.stdin.close()
        if kcat.wait(120) != 0:
            raise RuntimeError(f"kcat -P exited with {kcat.returncode}")


def show(line):
    message = json.loads(line)
    flat = message.get("headers") or []
    headers = [[flat[i], flat[i + 1]] for i in range(0, len(flat), 2)]
    shell.emit(record=[message["partition"], message["offset"], message["key"], message["payload"], headers])


def read(kcat, count):
    for line in kcat.stdout:
        show(line)
        count -= 1
        if count == 0:
            break
    if kcat.wait(60) != 0:
        raise RuntimeError(f"kcat exited with {kcat.returncode}")


def consume(command):
    common = ["-b", command["bootstrap"], "-J", "-q", *settings(auto_offset_reset="earliest", fetch_wait_max_ms=100)]
    if command.get("group"):
        argv = [KCAT, *common, "-c", str(command["expect"]), *settings(session_timeout_ms=10000, heartbeat_interval_ms=500),
                "-G", command["group"], command["topic"]]
        read(subprocess.Popen(argv, stdout=subprocess.PIPE), command["expect"])
        return
    argv = [KCAT, "-C", *common, "-t", command["topic"], "-o", "beginning", "-c", str(command["expect"])]
    read(subprocess.Popen(argv, stdout=subprocess.PIPE), command["expect"])


def member(command):
    kcat = subprocess.Popen(
        [KCAT, "-b", command["bootstrap"], "-J", "-u", *settings(
            auto_offset_reset="earliest", fetch_wait_max_ms=100, session_timeout_ms=10000, heartbeat_interval_ms=500,
            partition_assignment_strategy="range", reconnect_backoff_max_ms=500, auto_commit_interval_ms=500),
         "-E", "-G", command["group"], command["topic"]],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})

    def follow_rebalances():
        for line in kcat.stderr:
            line = line.decode(errors="replace")
            if "assigned:" in line:
                shell.assigned(int(p) for p in re.findall(r"\[(\d+)\]", line.split("assigned:")[1]))

    def follow_records():
        for line in kcat.stdout:
            show(line)

    threads = [threading.Thread(target=f) for f in (follow_rebalances, follow_records)]
    for thread in threads:
        thread.start()
    while not shell.asked_to_leave(command) and kcat.poll() is None:
        time.sleep(0.05)
    kcat.terminate()
    status = kcat.wait(60)
    for thread in threads:
        thread.join()
    if status not in (0, -15):
        raise RuntimeError(f"kcat -G exited with {status}")


shell.serve(produce=produce, consume=consume, member=member)

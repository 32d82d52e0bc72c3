"""produce, consume and bench against a node of ours, or with --real against the Apache Kafka of test/interop's rig.

What kcat and confluent-kafka write is read by us and the other way round; kcat's formats are compared with kcat byte for byte. Closes
with 'N passed, N failed, N skipped'. `-k WORD` runs the tests whose name has the word.
"""

import argparse
import contextlib
import json
import os
import pathlib
import pty
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "interop"))
from rig import barnabas, cache, clients, kafka  # noqa: E402

TESTS = []


class Skipped(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


class World:
    def __init__(self, node, folder):
        self.node, self.folder = node, folder
        self.topics = 0

    def topic(self, partitions=1, *configs):
        self.topics += 1
        name = f"t{self.topics}"
        self.ok("topic", "create", name, "-p", str(partitions), *[word for c in configs for word in ("-c", c)])
        return name

    def argv(self, *words):
        return [str(barnabas.BINARY), *words, "-b", self.node.bootstrap]

    def run(self, *words, stdin=b"", timeout=60):
        """Exit code, standard output and standard error of a command."""
        done = subprocess.run(self.argv(*words), input=stdin, capture_output=True, timeout=timeout, env=self.environment())
        return done.returncode, done.stdout, done.stderr.decode()

    def ok(self, *words, stdin=b"", timeout=60):
        code, out, err = self.run(*words, stdin=stdin, timeout=timeout)
        assert code == 0, f"{' '.join(words)} exited with {code}: {err}"
        return out

    def start(self, *words, **options):
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.Popen(self.argv(*words), env=self.environment(), **options)

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TERM": "xterm"}

    def read(self, topic, *words):
        """All of a topic, as what -o json says."""
        lines = self.ok("consume", topic, "-e", "-o", "json", *words).splitlines()
        return [json.loads(line) for line in lines]

    def kcat(self, *words, stdin=b""):
        if not shutil.which("kcat"):
            raise Skipped("kcat is not installed")
        done = subprocess.run(["kcat", "-b", self.node.bootstrap, *words], input=stdin, capture_output=True, timeout=60)
        assert done.returncode == 0, f"kcat {words}: {done.stderr.decode()}"
        return done.stdout

    def confluent(self):
        try:
            argv, env = clients._pip("confluent-kafka-2.16.1", "", "confluent-kafka==2.16.1")()
        except cache.Unavailable as why:
            raise Skipped(f"confluent-kafka: {why}") from None
        sys.path.insert(0, env["PYTHONPATH"])
        import confluent_kafka
        return confluent_kafka

    def committed(self, group):
        rows = json.loads(self.ok("group", "lag", group, "-o", "json"))["lag"]
        return {(row["topic"], row["partition"]): row["committed"] for row in rows}

    def members(self, group):
        code, out, err = self.run("group", "members", group, "-o", "json")
        assert code == 0 or "GROUP_ID_NOT_FOUND" in err, err
        return json.loads(out)["members"] if code == 0 else []


def same(found, wanted, what=""):
    if found != wanted:
        raise AssertionError(f"{what}: found {str(found)[:600]!r}, wanted {str(wanted)[:600]!r}")


def within(seconds, condition, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


ODD_BYTES = [b"plain", b"", bytes(range(256)).replace(b"\n", b""), "\u00e4\u20ac\U0001f600".encode(), b"\xff\xfe\x00", b"x" * 100000]


@test
def lines_come_back_as_they_were(world):
    topic = world.topic()
    text = b"\n".join(ODD_BYTES) + b"\n"
    world.ok("produce", topic, stdin=text)
    same(world.ok("consume", topic, "-e"), text)
    world.ok("produce", topic, stdin=b"last without end")
    same(world.ok("consume", topic, "-e", "--tail", "1"), b"last without end\n")


@test
def other_delimiters_and_keys(world):
    topic = world.topic()
    world.ok("produce", topic, "-0", stdin=b"a\nb\0c\0")
    same(world.ok("consume", topic, "-e", "-0"), b"a\nb\0c\0")
    topic = world.topic()
    world.ok("produce", topic, "-D", ";;", "-K", r"\t", "-H", "h=1", "-H", "g=", stdin=b"k1\tv\t1;;v2;;\tv3")
    found = [(r["key"], r["value"], r["headers"]) for r in world.read(topic)]
    headers = [{"key": "h", "value": "1"}, {"key": "g", "value": ""}]
    same(found, [("k1", "v\t1", headers), (None, "v2", headers), ("", "v3", headers)])
    same(world.ok("consume", topic, "-e", "-k", "--print-headers", "-K", "|", "-Z", "NULL"),
         b"h=1,g=|k1|v\t1\nh=1,g=|NULL|v2\nh=1,g=||v3\n")


@test
def tombstones(world):
    topic = world.topic()
    world.ok("produce", topic, "-K", ":", "-Z", stdin=b"a:1\na:\n")
    world.ok("produce", topic, "-K", ":", stdin=b"a:\n")
    same([r["value"] for r in world.read(topic)], ["1", None, ""])
    same(world.kcat("-C", "-t", topic, "-e", "-q", "-f", "%S "), b"1 -1 0 ")


@test
def partitions_and_timestamps(world):
    topic = world.topic(3)
    world.ok("produce", topic, "-p", "2", "--timestamp", "2026-11-01T12:00:00Z", stdin=b"a\n")
    same([(r["partition"], r["timestamp"]) for r in world.read(topic)], [(2, 1793534400000)])
    same(world.ok("consume", topic, "-e", "--print-timestamp", "--print-partition"), b"2026-11-01T12:00:00.000Z\t2\t0\ta\n")
    same(world.ok("consume", topic, "-e", "-p", "0"), b"")
    code, _, err = world.run("consume", topic, "-e", "-p", "7")
    assert code == 2 and f"topic {topic} has no partition 7" in err, err


@test
def keys_go_where_kcat_sends_them_by_murmur2(world):
    ours, theirs = world.topic(7), world.topic(7)
    text = b"".join(b"key%d:v%d\n" % (i, i) for i in range(200))
    world.ok("produce", ours, "-K", ":", stdin=text)
    world.kcat("-P", "-t", theirs, "-K", ":", "-X", "topic.partitioner=murmur2_random", stdin=text)
    place = lambda topic: {r["key"]: r["partition"] for r in world.read(topic)}  # noqa: E731
    same(place(ours), place(theirs))


@test
def formats_print_what_kcats_print(world):
    topic = world.topic()
    world.kcat("-P", "-t", topic, "-K", ":", "-H", "a=1", "-H", "b=", "-H", "c", "-H", "d=x,y", stdin=b"k1:v1\nk2:\n:v3\nnone\n")
    world.kcat("-P", "-t", topic, "-D", "|", stdin=b"bin\xff\x01\nary|two")
    world.ok("produce", topic, "-Z", "-k", "gone", "-0", stdin=b"\0")
    for text in ["%s", "%s\\n", "%t [%p] at offset %o: key %k (%K): %s (%S) %h\\n", "%R%s", "%T %%\\r\\n", "\\x41\\x4g\\x414\\101\\q\\\\", "%k\\t%s\\n"]:
        same(world.ok("consume", topic, "-e", "-f", text), world.kcat("-C", "-t", topic, "-e", "-q", "-f", text), text)
    # kcat -Z prints NULL for what is empty too; that differs on purpose.
    same(world.ok("consume", topic, "-e", "-f", "%s,", "-Z", "NULL"), b"v1,,v3,none,bin\xff\x01\nary,two,NULL,")
    code, _, err = world.run("consume", topic, "-e", "-f", "%z")
    assert code == 2 and "there is no %z" in err, err


@test
def what_confluent_kafka_wrote(world):
    ck = world.confluent()
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = world.topic()
        producer = ck.Producer({"bootstrap.servers": world.node.bootstrap, "compression.type": codec, "linger.ms": 50})
        for value in [*ODD_BYTES, None]:
            producer.produce(topic, key=b"k" + codec.encode(), value=value, timestamp=1234567890123,
                             headers=[("h", b"\xff"), ("h", None), ("e", b"")])
        assert producer.flush(30) == 0
        found = world.read(topic)
        same(len(found), len(ODD_BYTES) + 1, codec)
        same([r["timestamp"] for r in found], [1234567890123] * len(found))
        same(found[0]["headers"], [{"key": "h", "value": "/w==", "value_encoding": "base64"}, {"key": "h", "value": None},
                                   {"key": "e", "value": ""}])
        same(found[4]["value_encoding"], "base64")
        same(found[-1]["value"], None)
        same(world.ok("consume", topic, "-e", "-f", "%S,"), b"".join(b"%d," % (len(v) if v is not None else -1) for v in [*ODD_BYTES, None]))


@test
def what_confluent_kafka_reads(world):
    ck = world.confluent()
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        topic = world.topic()
        world.ok("produce", topic, "-z", codec, "-k", "key", "-H", "a=1", "--timestamp", "77", stdin=b"\n".join(ODD_BYTES))
        consumer = ck.Consumer({"bootstrap.servers": world.node.bootstrap, "group.id": "x", "enable.auto.commit": False})
        consumer.assign([ck.TopicPartition(topic, 0, 0)])
        found = []
        deadline = time.monotonic() + 30
        while len(found) < len(ODD_BYTES) and time.monotonic() < deadline:
            found += consumer.consume(100, 0.5)
        consumer.close()
        same([m.value() for m in found], ODD_BYTES, codec)
        assert all(m.key() == b"key" and m.headers() == [("a", b"1")] and m.timestamp()[1] == 77 for m in found)


@test
def json_copies_a_topic(world):
    ck = world.confluent()
    source, target = world.topic(3), world.topic(3)
    producer = ck.Producer({"bootstrap.servers": world.node.bootstrap})
    for partition in range(3):
        for i, value in enumerate([*ODD_BYTES, None]):
            producer.produce(source, partition=partition, key=None if i % 2 else bytes([i, 255]), value=value, timestamp=1000 + i,
                             headers=[("a", b"\x80"), ("a", None)])
    assert producer.flush(30) == 0
    world.ok("produce", target, "-i", "json", stdin=world.ok("consume", source, "-e", "-o", "json"))
    plain = lambda topic: sorted((json.dumps(r | {"topic": ""}) for r in world.read(topic)))  # noqa: E731
    same(plain(target), plain(source))


@test
def json_of_kcat_is_read(world):
    source, target = world.topic(), world.topic()
    world.kcat("-P", "-t", source, "-K", ":", "-H", "a=1", "-H", "c", stdin=b"k:v\nx\n")
    world.ok("produce", target, "-i", "json", stdin=world.kcat("-C", "-t", source, "-e", "-q", "-J"))
    same([(r["key"], r["value"], r["headers"]) for r in world.read(target)], [(r["key"], r["value"], r["headers"]) for r in world.read(source)])


@test
def json_that_is_wrong_is_named_and_the_rest_sent(world):
    topic = world.topic()
    code, _, err = world.run("produce", topic, "-i", "json", stdin=b'{"value":1}\n{"vlaue":2}\n\nnonsense\n{"value":"3","partition":9}\n{"value":4}\n')
    same(code, 1)
    for part in ['line 2: there is no field "vlaue"; did you mean "value"?', "line 4: no JSON at byte", "line 5: ", "Sent 2 records"]:
        assert part in err, err
    same(world.ok("consume", topic, "-e"), b"1\n4\n")


@test
def files(world):
    topic = world.topic()
    one, two = world.folder / "one", world.folder / "two"
    one.write_bytes(b"a\nb")
    two.write_bytes(b"c\n\xff")
    world.ok("produce", topic, "-f", str(one), "-f", str(two))
    same(world.ok("consume", topic, "-e"), b"a\nb\nc\n\xff\n")
    topic = world.topic()
    world.ok("produce", topic, "-i", "file", "-f", str(one), "-f", str(two))
    same(world.ok("consume", topic, "-e", "-D", "|"), b"a\nb|c\n\xff|")
    code, _, err = world.run("produce", topic, "-f", "/nonexistent")
    assert code == 1 and "/nonexistent: No such file" in err, err


@test
def a_record_that_is_too_large_is_named(world):
    topic = world.topic()
    code, _, err = world.run("produce", topic, stdin=b"ok\n" + b"x" * 3000000 + b"\nok\n")
    same(code, 1)
    assert "line 2: " in err and "Sent 2 records" in err, err
    same(world.ok("consume", topic, "-e"), b"ok\nok\n")


@test
def a_record_the_broker_refuses_is_named(world):
    topic = world.topic(1, "max.message.bytes=1000")
    code, _, err = world.run("produce", topic, stdin=b"x" * 5000 + b"\n")
    assert code == 1 and "line 1: " in err and "MESSAGE_TOO_LARGE" in err, err


@test
def wrong_use(world):
    topic = world.topic()
    for words, wanted in [
        (["consume", topic, "--from", "noon"], "'noon' is no place"),
        (["consume", topic, "--where", "price > 3"], "column 1"),
        (["consume", topic, "--tail", "x"], "--tail x: want a number"),
        (["consume", topic, "--tail", "3", "--from", "end"], "both say where to begin"),
        (["consume", topic, "-g", "g", "--from", "@-1h"], "group reset"),
        (["consume", topic, "-g", "g", "-p", "0"], "--partition has no meaning"),
        (["consume", topic, "-o", "json", "-f", "%s"], "give one"),
        (["produce", topic, "-H", "x"], "want NAME=VALUE"),
        (["produce", topic, "-p", "-1"], "want a number"),
        (["produce", topic, "--acks", "2"], "not one of"),
        (["produce", topic, "-D", ""], "at least one character"),
        (["produce", topic, "-X", "akcs=1"], "acks"),
        (["bench", "produce", "-s", "huge"], "want a size"),
    ]:
        code, out, err = world.run(*words, stdin=b"a\n")
        assert code == 2 and wanted in err and out == b"", (words, code, err)


@test
def topics_that_are_not_there(world):
    for words in (["consume", "nosuch", "-e"], ["consume", "nosuch", "-g", "g"], ["produce", "nosuch", "-X", "allow.auto.create.topics=false"]):
        began = time.monotonic()
        code, _, err = world.run(*words, stdin=b"a\n")
        assert code == 1 and "UNKNOWN_TOPIC_OR_PARTITION" in err and "nosuch" in err, (words, code, err)
        assert time.monotonic() - began < 15, words
    code, _, err = world.run("consume", "^nosuch.*", "-e")
    assert code == 1 and "no topic matches" in err, err


@test
def nobody_there(world):
    for words in (["consume", "t"], ["produce", "t"]):
        done = subprocess.run([str(barnabas.BINARY), *words, "-b", "127.0.0.1:1", "--timeout", "1s"], input=b"a\n", capture_output=True, timeout=30)
        same(done.returncode, 3, done.stderr.decode())


@test
def ranges(world):
    topic = world.topic()
    for i in range(10):
        world_time = 1000000 + i * 1000
        world.ok("produce", topic, "--timestamp", str(world_time), stdin=b"%d\n" % i)
    for words, wanted in [
        (["--from", "3", "--to", "6"], "345"), (["--from", "-2", "-e"], "89"), (["--from", "+7", "-e"], "789"), (["--tail", "3", "-e"], "789"),
        (["--tail", "0", "-e"], ""), (["--from", "end", "-e"], ""), (["--to", "+2"], "01"), (["--to", "-8"], "01"), (["--from", "@1003000", "--to", "@1005000"], "34"),
        (["--from", "@1002500", "-n", "2"], "34"), (["--from", "@99999999999999", "-e"], ""), (["-n", "0"], ""), (["--from", "100", "-e"], ""), (["--tail", "1000", "-e"], "0123456789"),
        (["--to", "@1970-01-01T00:16:42Z"], "01"),
    ]:
        same(world.ok("consume", topic, *words).decode().replace("\n", ""), wanted, str(words))


@test
def several_topics_and_patterns(world):
    one, two = world.topic(), world.topic()
    world.ok("produce", one, stdin=b"a\n")
    world.ok("produce", two, stdin=b"b\n")
    same(sorted(world.ok("consume", one, two, "-e").split()), [b"a", b"b"])
    same(sorted(world.ok("consume", f"^({one}|{two})$", "-e").split()), [b"a", b"b"])
    same(sorted(world.ok("consume", one, two, "-g", "several", "-e").split()), [b"a", b"b"])


@test
def records_that_were_deleted(world):
    topic = world.topic()
    world.ok("produce", topic, stdin=b"".join(b"%d\n" % i for i in range(10)))
    world.ok("topic", "trim", topic, "--before", "4", "-y")
    same(world.ok("consume", topic, "-e").split(), [b"%d" % i for i in range(4, 10)])
    same(world.ok("consume", topic, "--from", "0", "--to", "6").split(), [b"4", b"5"])


@test
def where(world):
    topic = world.topic()
    lines = b"".join(json.dumps({"key": f"k{i}", "value": {"price": i, "name": f"n{i}"}, "headers": {"h": str(i % 3)}}).encode() + b"\n" for i in range(12))
    world.ok("produce", topic, "-i", "json", stdin=lines)
    for expression, wanted in [("value.price > 9", [10, 11]), ("headers.h == '0' && value.price < 5", [0, 3]), ("key =~ '^k1.$'", [10, 11]),
                               ("offset == 4 || value.name == 'n7'", [4, 7]), ("!(value.price >= 1)", [0])]:
        found = world.ok("consume", topic, "-e", "--where", expression, "-f", "%o ").split()
        same([int(o) for o in found], wanted, expression)
    same(world.ok("consume", topic, "-n", "2", "-w", "value.price >= 5", "-f", "%o "), b"5 6 ")


@test
def outputs(world):
    topic = world.topic()
    world.ok("produce", topic, "-K", ":", "-H", "h=a,b", "--timestamp", "0", stdin=b'k:say "hi", all\nplain\n')
    same(world.ok("consume", topic, "-e", "-o", "csv"),
         b'topic,partition,offset,timestamp,key,value,headers\n%s,0,0,0,k,"say ""hi"", all","h=a,b"\n%s,0,1,0,,plain,"h=a,b"\n' % ((topic.encode(),) * 2))
    same(world.ok("consume", topic, "-e", "-o", "name"), b"%s-0@0\n%s-0@1\n" % ((topic.encode(),) * 2))
    table = world.ok("consume", topic, "-e", "-o", "table").decode().splitlines()
    same(table[0].split(), ["TOPIC", "PARTITION", "OFFSET", "TIMESTAMP", "KEY", "VALUE"])
    same(table[2].split(), [topic, "0", "1", "1970-01-01T00:00:00.000Z", "-", "plain"])
    same(world.ok("consume", topic, "-n", "1", "-o", "yaml").decode().splitlines()[:3], ["---", "_v: 1", f"topic: {topic}"])


@test
def a_group_goes_on_where_it_was(world):
    topic = world.topic(2)
    for partition in (0, 1):
        world.ok("produce", topic, "-p", str(partition), stdin=b"".join(b"%d-%d\n" % (partition, i) for i in range(10)))
    group = f"g-{topic}"
    first = world.ok("consume", topic, "-g", group, "-n", "7").split()
    same(len(first), 7)
    same(sum(offset or 0 for offset in world.committed(group).values()), 7, "what was printed is committed, no more")
    rest = world.ok("consume", topic, "-g", group, "-e").split()
    same(sorted(first + rest), sorted(b"%d-%d" % (p, i) for p in (0, 1) for i in range(10)))
    same(world.ok("consume", topic, "-g", group, "-e"), b"")
    same(world.members(group), [])
    same(world.ok("consume", topic, "-g", group + "x", "--from", "end", "-e"), b"")
    world.ok("consume", topic, "-g", group + "y", "-e", "-X", "enable.auto.commit=false")
    assert not any(world.committed(group + "y").values())


@test
def two_members_share(world):
    topic = world.topic(4)
    group = f"g-{topic}"
    members = [world.start("consume", topic, "-g", group, "-q", "-f", "%p %s\\n") for _ in range(2)]
    try:
        within(30, lambda: len([m for m in world.members(group) if m.get("partitions") or m.get("assigned") or m.get("assignment")]) == 2, "both have partitions")
        for partition in range(4):
            world.ok("produce", topic, "-p", str(partition), stdin=b"a\nb\n")
        within(30, lambda: sum(v or 0 for v in world.committed(group).values()) == 8 or time.sleep(0.3), "all committed")
        members[0].send_signal(signal.SIGINT)
        out, err = members[0].communicate(timeout=20)
        same(members[0].returncode, 0, err.decode())
        world.ok("produce", topic, "-p", "0", stdin=b"c\n")
        world.ok("produce", topic, "-p", "3", stdin=b"c\n")
        within(30, lambda: sum(v or 0 for v in world.committed(group).values()) == 10 or time.sleep(0.3), "the other has all")
        members[1].send_signal(signal.SIGINT)
        other, err = members[1].communicate(timeout=20)
        same(members[1].returncode, 0, err.decode())
        assert out and other, "each had something"
        same(sorted((out + other).splitlines()), sorted([b"%d %s" % (p, v) for p in range(4) for v in (b"a", b"b")] + [b"0 c", b"3 c"]))
    finally:
        for member in members:
            member.kill()


@test
def ctrl_c_ends_following(world):
    topic = world.topic()
    group = f"g-{topic}"
    world.ok("produce", topic, stdin=b"a\nb\n")
    process = world.start("consume", topic, "-g", group)
    same(process.stdout.readline() + process.stdout.readline(), b"a\nb\n")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    same((process.returncode, out), (0, b""), err.decode())
    same(world.committed(group), {(topic, 0): 2})
    same(world.members(group), [])


@test
def ctrl_c_in_the_middle_of_a_batch(world):
    topic = world.topic()
    process = world.start("produce", topic, "-X", "linger.ms=60000", "-X", "delivery.timeout.ms=100000", "-X", "batch.size=1000000")
    process.stdin.write(b"a\nb\nc\n")
    process.stdin.flush()
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=20)
    err = process.stderr.read().decode()
    same(process.returncode, 1, err)
    assert "interrupted" in err and "Sent 3 records" in err, err
    same(world.ok("consume", topic, "-e"), b"a\nb\nc\n")


@test
def ctrl_c_while_the_broker_is_gone(world):
    topic = world.topic()
    process = world.start("produce", topic)
    process.stdin.write(b"a\n")
    process.stdin.flush()
    within(10, lambda: world.ok("consume", topic, "-e") == b"a\n", "the first one")
    world.node.process.send_signal(signal.SIGSTOP)
    try:
        process.stdin.write(b"b\nc\n")
        process.stdin.flush()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
    finally:
        world.node.process.send_signal(signal.SIGCONT)
    err = process.stderr.read().decode()
    same(process.returncode, 1, err)
    assert "2 records were not sent, or not confirmed" in err, err


@test
def a_closed_pipe_ends_quietly(world):
    topic = world.topic()
    world.ok("produce", topic, stdin=b"".join(b"%d\n" % i for i in range(100000)))
    group = f"g-{topic}"
    for words in ([], ["-e"], ["-g", group]):
        process = world.start("consume", topic, *words)
        same(process.stdout.readline(), b"0\n")
        process.stdout.close()
        same(process.wait(timeout=20), 0, str(words))
        same(process.stderr.read().decode(), "")
    same(world.members(group), [])
    assert (world.committed(group).get((topic, 0)) or 0) < 100000, "what nobody read is not committed"
    # Nothing comes any more, and the reader goes: noticed without a write.
    process = world.start("consume", topic, "--from", "end")
    time.sleep(1)
    process.stdout.close()
    same(process.wait(timeout=20), 0)


@test
def a_full_disk_is_told(world):
    topic = world.topic()
    world.ok("produce", topic, stdin=b"a\n")
    with open("/dev/full", "wb") as full:
        process = world.start("consume", topic, "-e", stdout=full)
        err = process.communicate(timeout=20)[1].decode()
    assert process.returncode == 1 and "No space left" in err, (process.returncode, err)


@test
def a_hundred_thousand_lines_through_a_pipe(world):
    source, target = world.topic(), world.topic()
    lines = b"".join(b"line %d\n" % i for i in range(100000))
    world.ok("produce", source, "-z", "lz4", stdin=lines)
    reader = world.start("consume", source, "-e")
    writer = world.start("produce", target, stdin=reader.stdout)
    reader.stdout.close()
    writer.communicate(timeout=60)
    same((reader.wait(10), writer.returncode), (0, 0))
    same(world.ok("consume", target, "-e"), lines)
    same(world.kcat("-C", "-t", target, "-e", "-q"), lines)


@test
def memory_is_bounded_whatever_the_input(world):
    topic = world.topic(1, "retention.bytes=1000000")
    process = world.start("produce", topic, "-q")
    chunk = (b"x" * 999 + b"\n") * 1000
    for _ in range(150):
        process.stdin.write(chunk)
    process.stdin.flush()
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    process.stdin.close()
    same(process.wait(timeout=60), 0)
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 120 * 1024, f"{peak} KiB at most"


@test
def a_terminal_is_spared_control_characters(world):
    topic = world.topic()
    world.ok("produce", topic, stdin=b"a\x1b[2Jb\tc\n")
    leader, follower = pty.openpty()
    process = world.start("consume", topic, "-e", stdout=follower)
    process.wait(timeout=20)
    os.close(follower)
    shown = os.read(leader, 1000)
    os.close(leader)
    same(shown.replace(b"\r", b""), b"a\\x1b[2Jb\tc\n")


@test
def transactions(world):
    topic = world.topic()
    code, _, err = world.run("produce", topic, "--timeout", "5s", "-X", f"transactional.id=tx-{topic}", stdin=b"a\nb\n")
    if code != 0 and world.node.kind == "barnabas":
        raise Skipped(f"no transactions here yet: {err.strip()[:120]}")
    same(code, 0, err)
    code, _, err = world.run("produce", topic, "-i", "json", "-X", f"transactional.id=tx-{topic}", stdin=b'{"value":"c"}\nwrong\n')
    assert code == 1 and "aborted" in err, err
    same(world.ok("consume", topic, "-e", "--read-committed"), b"a\nb\n")
    same(world.ok("consume", topic, "-e").split()[:2], [b"a", b"b"])


@test
def bench(world):
    before = world.ok("topic", "list", "-o", "name")
    for kind, words in (("produce", ["-n", "2000"]), ("consume", ["-n", "2000"]), ("e2e", ["-n", "200", "--rate", "1000"]), ("latency", ["-n", "20"])):
        result = json.loads(world.ok("bench", kind, "-s", "200", "-z", "lz4", "-o", "json", *words))["bench"]
        same((result["records"], result["failed"], result["bytes"]), (int(words[1]), 0, int(words[1]) * 200), kind)
        assert result["records_per_second"] > 0 and result["cpu_microseconds_per_record"] > 0, result
        assert kind == "consume" or result["latency_p50_ms"] <= result["latency_p99_ms"] <= result["latency_max_ms"], result
    same(world.ok("topic", "list", "-o", "name"), before, "its topics are gone")
    topic = world.topic(2)
    text = world.ok("bench", "produce", "-n", "1000", "-t", topic).decode()
    assert text.startswith("1,000 records of 100 B in ") and "latency p50" in text and "CPU" in text, text
    same(len(world.read(topic)), 1000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--real", action="store_true", help="against Apache Kafka")
    parser.add_argument("-k", default="", help="only tests with this in their name")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    passed = failed = skipped = 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="barnabas-cli."))
    node = (kafka.RealKafka if options.real else barnabas.Barnabas)(folder / "node", {"auto.create.topics.enable": "false"})
    try:
        node.format(features=()) if options.real else node.format()
        node.start()
        world = World(node, folder)
        for function in TESTS:
            if options.k not in function.__name__:
                continue
            began = time.monotonic()
            try:
                function(world)
                passed += 1
                if time.monotonic() - began > 10:
                    print(f"{function.__name__}: {time.monotonic() - began:.1f} s")
            except Skipped as why:
                skipped += 1
                print(f"skipped {function.__name__}: {why}")
            except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError, KeyError, IndexError) as why:
                failed += 1
                print(f"FAILED {function.__name__}: {type(why).__name__} {why}")
    finally:
        with contextlib.suppress(Exception):
            node.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What consuming costs with our client and with librdkafka, in turns, against one running broker.

    python3 bench/consumer_bench.py build/release/bin/consumer_bench 127.0.0.1:9092 [--pairs 5] [--mb 300]

Fills a topic for each record size and codec with librdkafka's producer (kcat must be installed), then reads it with both. CPU is
that of the client's process. Each line is the median of the pairs, the ratio the median of the pairwise ratios.
"""

import argparse
import json
import random
import statistics
import subprocess

PARTITIONS = 3


def fill(broker, topic, size, codec, count):
    random.seed(size)
    words = [f'"field{n}":{random.getrandbits(40)},' for n in range(200)]
    lines = []
    for _ in range(2000):
        line = ""
        while len(line) < size:
            line += random.choice(words)
        lines.append(line[:size])
    feed = subprocess.Popen(["kcat", "-P", "-b", broker, "-t", topic, "-X", f"compression.codec={codec}", "-X", "linger.ms=20",
                             "-X", "batch.size=65536", "-X", "sticky.partitioning.linger.ms=10"], stdin=subprocess.PIPE)
    for at in range(0, count, len(lines)):
        feed.stdin.write(("\n".join(lines[:min(len(lines), count - at)]) + "\n").encode())
    feed.stdin.close()
    if feed.wait() != 0:
        raise SystemExit("kcat could not fill the topic")


def run(program, client, broker, topic, count):
    done = subprocess.run([program, client, broker, topic, str(PARTITIONS), str(count)], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(f"{client} failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("broker")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--mb", type=int, default=200, help="volume of each run")
    parser.add_argument("--prefix", default="bench", help="of the topics; they have to exist with 3 partitions, or be created by the broker")
    arguments = parser.parse_args()
    print(f"{'':14}{'records/s':>24}{'CPU µs/record':>20}")
    print(f"{'':14}{'ours':>12}{'librdkafka':>12}{'ours':>10}{'librdkafka':>12}{'ratio':>8}")
    for size in (100, 1024):
        for codec in ("none", "lz4"):
            topic, count = f"{arguments.prefix}-{size}-{codec}", arguments.mb * 1000000 // size
            fill(arguments.broker, topic, size, codec, count)
            pairs = []
            for _ in range(arguments.pairs):
                ours = run(arguments.program, "ours", arguments.broker, topic, count)
                theirs = run(arguments.program, "rdkafka", arguments.broker, topic, count)
                pairs.append((ours, theirs))

            def median(which, key):
                return statistics.median(pair[which][key] for pair in pairs)

            ratio = statistics.median(a["cpu_us_per_record"] / b["cpu_us_per_record"] for a, b in pairs)
            print(f"{size:>5} B, {codec:<5}{median(0, 'per_second'):>13,.0f}{median(1, 'per_second'):>12,.0f}"
                  f"{median(0, 'cpu_us_per_record'):>10.3f}{median(1, 'cpu_us_per_record'):>12.3f}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main()

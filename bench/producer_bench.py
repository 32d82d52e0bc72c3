#!/usr/bin/env python3
"""What producing costs with our client and with librdkafka, in turns, against one running broker.

    python3 bench/producer_bench.py build/release/bin/producer_bench 127.0.0.1:9092 [--pairs 5] [--only 100]

The topic `bench` must exist or be created by the broker. CPU is that of the client's process. Each line is the median of the pairs,
the ratio the median of the pairwise ratios.
"""

import argparse
import json
import statistics
import subprocess

SETTINGS = {
    "as they come": ([], []),
    "batches of 16 KiB": (["batch.size=16384", "linger.ms=5"], ["batch.size=16384", "linger.ms=5"]),
    "batches of 1 MB": (["batch.size=1000000", "linger.ms=5", "max.request.size=1048576"],
                        ["batch.size=1000000", "linger.ms=5"]),
}


def run(program, client, broker, topic, size, count, settings):
    done = subprocess.run([program, client, broker, topic, str(size), str(count), "acks=all", *settings],
                          capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise SystemExit(f"{client} failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("broker")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--topic", default="bench")
    parser.add_argument("--mb", type=int, default=200, help="volume of each run")
    parser.add_argument("--only", type=int, help="this record size only")
    arguments = parser.parse_args()
    print(f"{'':44}{'records/s':>24}{'CPU µs/record':>20}")
    print(f"{'':44}{'ours':>12}{'librdkafka':>12}{'ours':>10}{'librdkafka':>12}{'ratio':>8}")
    for size in (100, 1024):
        if arguments.only and size != arguments.only:
            continue
        for codec in ("none", "lz4"):
            for name, (ours, theirs) in SETTINGS.items():
                pairs = []
                for _ in range(arguments.pairs):
                    count = arguments.mb * 1000000 // size
                    common = (arguments.program, arguments.broker, arguments.topic, size, count)
                    a = run(common[0], "ours", *common[1:], [f"compression.type={codec}", *ours])
                    b = run(common[0], "rdkafka", *common[1:], [f"compression.type={codec}", *theirs])
                    pairs.append((a, b))

                def median(which, key):
                    return statistics.median(pair[which][key] for pair in pairs)

                ratio = statistics.median(a["cpu_us_per_record"] / b["cpu_us_per_record"] for a, b in pairs)
                print(f"{size:>5} B, {codec:<4}, {name:<29}{median(0, 'per_second'):>12,.0f}{median(1, 'per_second'):>12,.0f}"
                      f"{median(0, 'cpu_us_per_record'):>10.3f}{median(1, 'cpu_us_per_record'):>12.3f}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main()

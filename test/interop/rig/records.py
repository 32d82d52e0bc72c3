"""What is written and what must come back: records made from a tag, and exact comparison.

A record is (partition, key, value, headers); keys, values and header values are text or None, headers a list of pairs whose
names may repeat. Headers are the same for all records of a partition: kcat can only set them for a whole run.
"""

HEADERS_OF_PARTITION = (
    [],
    [["trace", "a1"]],
    [["twice", "first"], ["twice", "second"], ["last", "3"]],
)


def make(tag: str, count: int, partitions: int = 3, null_values: bool = True) -> list:
    """count records over all partitions; some keys and, unless refused, some values are null, and one value is longer than a block."""
    made = []
    for i in range(count):
        key = None if i % 5 == 3 else f"key-{i % 17}"
        value = f"{tag}-{i}-" + "abcdefgh" * (i % 40) + ("é☃" if i % 9 == 4 else "")
        if i == count // 2:
            value += "0123456789abcdef" * 600
        if null_values and key is not None and i % 13 == 7:
            value = None
        partition = i % partitions
        made.append([partition, key, value, HEADERS_OF_PARTITION[partition % 3]])
    return made


def by_partition(records) -> dict:
    found = {}
    for partition, *rest in records:
        found.setdefault(partition, []).append(rest)
    return found


def of_read(read) -> dict:
    """Records as read, [partition, offset, key, value, headers], in offset order without the offsets."""
    found = {}
    for partition, offset, *rest in sorted(read, key=lambda r: (r[0], r[1])):
        found.setdefault(partition, []).append(rest)
    return found


def check_same(written, read) -> None:
    """Everything written came back once, in order, byte for byte."""
    check_order(read)
    want, got = by_partition(written), of_read(read)
    for partition in sorted(want.keys() | got.keys()):
        a, b = want.get(partition, []), got.get(partition, [])
        for at, (x, y) in enumerate(zip(a, b)):
            assert x == y, f"partition {partition}, record {at}: written {_short(x)}, read {_short(y)}"
        assert len(a) == len(b), f"partition {partition}: {len(a)} records written, {len(b)} read"


def check_at_least_once(written, read) -> None:
    """Everything written came back, in the order of its first appearance; repeats are allowed (no idempotence)."""
    want, got = by_partition(written), of_read(read)
    for partition, records in want.items():
        seen = []
        for record in got.get(partition, []):
            if record not in seen:
                seen.append(record)
        missing = [r for r in records if r not in seen]
        assert not missing, f"partition {partition}: {len(missing)} acknowledged records are gone, first {_short(missing[0])}"


def check_order(read) -> None:
    """Within a partition a reader sees offsets rising by one, as delivered."""
    last = {}
    for partition, offset, *_ in read:
        if partition in last:
            assert offset == last[partition] + 1, f"partition {partition}: offset {offset} after {last[partition]}"
        last[partition] = offset


def check_rising(read) -> None:
    """Within a partition a reader never sees an older offset after a newer one."""
    last = {}
    for partition, offset, *_ in read:
        assert offset > last.get(partition, -1), f"partition {partition}: offset {offset} after {last[partition]}"
        last[partition] = offset


def _short(record) -> str:
    text = repr(record)
    return text if len(text) < 160 else text[:150] + "..."

"""kafka-dump-log as a judge of files: Kafka's own reader must find nothing wrong with what a node left on disk."""

from pathlib import Path

from rig import kafka

# What the tool prints when something is wrong; it exits with 0 all the same.
_WRONG = ("isvalid: false", "mismatch", "Found index", "Found timestamp", "out of order", "Exception", "Error", "Could not", "not valid",
          "Non-consecutive", "corrupt")


def dump(files, *options, gaps: bool = False) -> str:
    """gaps: the logs are compacted, so that offsets may be missing."""
    said = kafka.tool("kafka-dump-log", "--files", ",".join(str(f) for f in sorted(files)), *options)
    wrong = [line for line in said.splitlines() if any(w.lower() in line.lower() for w in _WRONG)
             and not (gaps and line.startswith("Non-consecutive"))]
    assert not wrong, "kafka-dump-log " + " ".join(options) + ":\n" + "\n".join(wrong[:20])
    return said


def check_directory(data_dir: Path, compacted=("compacted", "__consumer_offsets")) -> None:
    """Every log, index, time index, producer snapshot and metadata snapshot of a stopped node; `compacted` names the compacted topics."""
    partitions = [p for p in Path(data_dir).iterdir() if p.is_dir() and not p.name.endswith(("-delete", "-stray"))]
    logs = [f for p in partitions if p.name != "__cluster_metadata-0" for f in p.glob("*.log")]
    indexes = [f for p in partitions for f in p.glob("*.index")] + [f for p in partitions for f in p.glob("*.timeindex")]
    snapshots = [f for p in partitions if p.name != "__cluster_metadata-0" for f in p.glob("*.snapshot")]
    metadata = Path(data_dir) / "__cluster_metadata-0"
    assert logs and indexes
    with_gaps = [f for f in logs if f.parent.name.rpartition("-")[0] in compacted]
    dump([f for f in logs if f not in with_gaps], "--deep-iteration")
    if with_gaps:
        dump(with_gaps, "--deep-iteration", gaps=True)
    sane = dump(indexes, "--index-sanity-check")
    assert sane.count("passed sanity check") + sane.count(" is empty") == len(indexes)
    dump([f for f in indexes if f.suffix == ".index"], "--verify-index-only")
    if snapshots:
        dump(snapshots)
    offsets = [f for p in partitions if p.name.startswith("__consumer_offsets-") for f in p.glob("*.log")]
    if offsets:
        dump(offsets, "--offsets-decoder", "--deep-iteration", gaps=True)
    decoded = dump(list(metadata.glob("*.log")) + list(metadata.glob("*.checkpoint")), "--cluster-metadata-decoder")
    assert "REGISTER_BROKER" in decoded

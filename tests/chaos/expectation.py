"""What the oracle expects of a topic; kept in a cache, because it takes its time.

python3 expectation.py RECORDS RULESETS OUT ROWS: judges the records of one partition (what
`kcat -J` prints); run as a process for each, so that all processors work.
"""

import hashlib
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import oracle  # noqa: E402
from buckets import bucket_of  # noqa: E402
from harness.kafka import KafkaError  # noqa: E402
from oracle.records import parse_record  # noqa: E402

BUCKETS = 16  # as in configs/payments.yaml
_CACHE_ENTRIES = 64


@dataclass
class Expectation:
    """Of the records of one topic."""

    outcomes: dict = field(default_factory=dict)  # partition -> [Outcome] that write something
    rejected: list = field(default_factory=list)  # the records that become dead letters
    records: int = 0

    def alerts(self):
        return sum(len(outcome.alerts) for own in self.outcomes.values() for outcome in own)


def expect(broker, topic, partitions, rulesets, rows_per_bucket=None):
    """The expectation of what the topic holds.

    rulesets: canonical text, bytes. rows_per_bucket: instead of the rulesets', for a control.
    CHAOS_CACHE: folder of the cache; without it nothing is kept.
    """
    with tempfile.TemporaryDirectory(prefix="caracal-chaos-") as folder:
        judge = _Judge(broker.direct, topic, rulesets, pathlib.Path(folder), rows_per_bucket)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = list(pool.map(judge, range(partitions)))
    whole = Expectation()
    for partition, (outcomes, rejected, records) in enumerate(parts):
        whole.outcomes[partition] = outcomes
        whole.rejected += rejected
        whole.records += records
    return whole


class _Judge:
    def __init__(self, bootstrap, topic, rulesets, folder, rows_per_bucket):
        self._bootstrap = bootstrap
        self._topic = topic
        self._rulesets = rulesets
        self._folder = folder
        self._rows_per_bucket = str(rows_per_bucket or 0)

    def __call__(self, partition):
        records = self._folder / f"{partition}.json"
        key = self._read(partition, records)
        cache = os.environ.get("CHAOS_CACHE")
        kept = pathlib.Path(cache, key) if cache else None
        if kept and kept.exists():
            return pickle.loads(kept.read_bytes())
        rulesets = self._folder / f"{partition}.rulesets"
        rulesets.write_bytes(self._rulesets)
        out = self._folder / f"{partition}.out"
        program = [sys.executable, "-B", __file__, records, rulesets, out, self._rows_per_bucket]
        subprocess.run(program, check=True)
        records.unlink()
        result = out.read_bytes()
        if kept:
            _keep(kept, result)
        return pickle.loads(result)

    def _read(self, partition, path):
        """The partition's records into a file; the digest of all that decides the outcome."""
        program = ["kcat", "-C", "-q", "-J", "-e", "-b", self._bootstrap, "-t", self._topic]
        program += ["-p", str(partition), "-o", "beginning"]
        with open(path, "wb") as file:
            done = subprocess.run(program, stdout=file, stderr=subprocess.PIPE, timeout=1800)
        if done.returncode != 0:
            raise KafkaError(f"kcat: {done.stderr.decode(errors='replace').strip()}")
        digest = hashlib.sha256(self._rulesets + self._rows_per_bucket.encode())
        for source in sorted((HERE.parent / "e2e" / "oracle").glob("*.py")):
            digest.update(source.read_bytes())
        for source in (HERE / "expectation.py", HERE / "buckets.py"):
            digest.update(source.read_bytes())
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()


def _keep(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = sorted(path.parent.iterdir(), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[: max(0, len(entries) - _CACHE_ENTRIES)]:
        entry.unlink()
    temporary = path.with_suffix(".new")
    temporary.write_bytes(data)
    temporary.replace(path)


def _judge_file(records, rulesets, out, rows_per_bucket):
    parsed = oracle.parse_rulesets(pathlib.Path(rulesets).read_bytes())
    if rows := int(rows_per_bucket):
        parsed = [
            replace(ruleset, stream=replace(ruleset.stream, rows_per_bucket=rows))
            for ruleset in parsed
        ]
    partition = oracle.PartitionOracle(parsed, bucket_of=lambda key: bucket_of(key, BUCKETS))
    outcomes, rejected, count = [], [], 0
    with open(records, "rb") as lines:
        for line in lines:
            record = parse_record(line.decode("utf-8", "surrogateescape"))
            outcome = partition.take(record)
            count += 1
            if outcome.kind == "dead_lettered":
                rejected.append(record)
            if outcome.alerts or outcome.kind == "dead_lettered":
                outcomes.append(outcome)
    pathlib.Path(out).write_bytes(pickle.dumps((outcomes, rejected, count)))


if __name__ == "__main__":
    _judge_file(*sys.argv[1:])

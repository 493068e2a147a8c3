"""What the oracle expects of a topic; kept in a cache, because it takes its time.

python3 expectation.py RECORDS RULESETS OUT ROWS FIRST: judges the records of one partition (what
`kcat -J` prints); run as a process for each, so that all processors work.
"""

import hashlib
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import oracle  # noqa: E402
from buckets import bucket_of  # noqa: E402
from harness.kafka import KafkaError  # noqa: E402
from oracle.records import parse_record  # noqa: E402

BUCKETS = 16  # as in configs/payments.yaml
_CACHE_ENTRIES = 64
_ACCOUNT = re.compile(rb'"user_id\\*":(\d+)')


class Expectation:
    """Of the records of one topic. What it says of a partition stays in a file until it is asked
    for: a full row has millions of alerts."""

    def __init__(self, folder, files):
        """folder: of the files, removed with this object. files: by partition."""
        self._folder = folder
        self._files = files
        self._counts = [_load(file, _COUNTS) for file in files]

    def records(self):
        return sum(records for records, _ in self._counts)

    def alerts(self):
        return sum(alerts for _, alerts in self._counts)

    def outcomes(self, partition):
        """The Outcomes that raise alerts."""
        return _load(self._files[partition], _ALERTS)

    def dead_letters(self):
        """{partition: Outcomes that become dead letters}, and these records."""
        outcomes, rejected = {}, []
        for partition, file in enumerate(self._files):
            outcomes[partition], own = _load(file, _DEAD_LETTERS)
            rejected += own
        return outcomes, rejected


def expect(broker, topic, partitions, rulesets, rows_per_bucket=None, first_account=0):
    """The expectation of what the topic holds.

    rulesets: canonical text, bytes. rows_per_bucket: instead of the rulesets', for a control.
    first_account: those with smaller numbers are passed over. CHAOS_CACHE: folder of the cache;
    without it nothing is kept.
    """
    folder = tempfile.TemporaryDirectory(prefix="caracal-chaos-")
    settings = [str(rows_per_bucket or 0), str(first_account)]
    judge = _Judge(broker.direct, topic, rulesets, pathlib.Path(folder.name), settings)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return Expectation(folder, list(pool.map(judge, range(partitions))))


# What follows each other in the file of a partition.
_COUNTS, _DEAD_LETTERS, _ALERTS = range(3)


def _load(path, which):
    with open(path, "rb") as file:
        for _ in range(which):
            pickle.load(file)
        return pickle.load(file)


class _Judge:
    def __init__(self, bootstrap, topic, rulesets, folder, settings):
        self._bootstrap = bootstrap
        self._topic = topic
        self._rulesets = rulesets
        self._folder = folder
        self._settings = settings

    def __call__(self, partition):
        """The file with what is expected of the partition."""
        records = self._folder / f"{partition}.json"
        out = self._folder / f"{partition}.out"
        key = self._read(partition, records)
        cache = os.environ.get("CHAOS_CACHE")
        kept = pathlib.Path(cache, key) if cache else None
        if kept and kept.exists():
            shutil.copyfile(kept, out)
        else:
            rulesets = self._folder / f"{partition}.rulesets"
            rulesets.write_bytes(self._rulesets)
            program = [sys.executable, "-B", __file__, records, rulesets, out, *self._settings]
            subprocess.run(program, check=True)
            if kept:
                _keep(kept, out)
        records.unlink()
        return out

    def _read(self, partition, path):
        """The partition's records into a file; the digest of all that decides the outcome."""
        program = ["kcat", "-C", "-q", "-J", "-e", "-b", self._bootstrap, "-t", self._topic]
        program += ["-p", str(partition), "-o", "beginning"]
        with open(path, "wb") as file:
            done = subprocess.run(program, stdout=file, stderr=subprocess.PIPE, timeout=1800)
        if done.returncode != 0:
            raise KafkaError(f"kcat: {done.stderr.decode(errors='replace').strip()}")
        digest = hashlib.sha256(self._rulesets + " ".join(self._settings).encode())
        for source in sorted((HERE.parent / "e2e" / "oracle").glob("*.py")):
            digest.update(source.read_bytes())
        for source in (HERE / "expectation.py", HERE / "buckets.py"):
            digest.update(source.read_bytes())
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()


def _keep(path, source):
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = sorted(path.parent.iterdir(), key=lambda entry: entry.stat().st_mtime)
    for entry in entries[: max(0, len(entries) - _CACHE_ENTRIES)]:
        entry.unlink()
    temporary = path.with_suffix(".new")
    shutil.copyfile(source, temporary)
    temporary.replace(path)


def _judge_file(records, rulesets, out, rows_per_bucket, first_account):
    parsed = oracle.parse_rulesets(pathlib.Path(rulesets).read_bytes())
    if rows := int(rows_per_bucket):
        parsed = [
            replace(ruleset, stream=replace(ruleset.stream, rows_per_bucket=rows))
            for ruleset in parsed
        ]
    partition = oracle.PartitionOracle(parsed, bucket_of=lambda key: bucket_of(key, BUCKETS))
    dead_letters, rejected, raising, count = [], [], [], 0
    for record in _records(records, int(first_account)):
        outcome = partition.take(record)
        count += 1
        if outcome.kind == "dead_lettered":
            dead_letters.append(outcome)
            rejected.append(record)
        elif outcome.alerts:
            raising.append(outcome)
    alerts = sum(len(outcome.alerts) for outcome in raising)
    with open(out, "wb") as file:
        for part in ((count, alerts), (dead_letters, rejected), raising):
            pickle.dump(part, file)


def _records(path, first_account):
    with open(path, "rb") as lines:
        for line in lines:
            account = _ACCOUNT.search(line) if first_account else None
            if account is None or int(account[1]) >= first_account:
                yield parse_record(line.decode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    _judge_file(*sys.argv[1:])

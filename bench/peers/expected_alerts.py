"""What the oracle of the end-to-end tests expects of a whole topic."""

import concurrent.futures
import os
import subprocess
from collections import Counter

import oracle
from alert_sets import identity
from oracle.records import parse_record


def expected_alerts(bootstrap, topic, partitions, rulesets_text):
    """The alert set of all partitions. rulesets_text: `caracal list rulesets --canonical`, bytes.

    Takes a tenth of a millisecond per record and processor: a partition is a process's.
    """
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = pool.map(_judge_partition, [bootstrap] * partitions, [topic] * partitions,
                         range(partitions), [rulesets_text] * partitions)
        return sum(parts, Counter())


def _judge_partition(bootstrap, topic, partition, rulesets_text):
    judge = oracle.PartitionOracle(oracle.parse_rulesets(rulesets_text))
    command = ["kcat", "-C", "-q", "-J", "-e", "-b", bootstrap, "-t", topic, "-p", str(partition),
               "-o", "beginning"]
    alerts = Counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as reader:
        for line in reader.stdout:
            outcome = judge.take(parse_record(line.decode("utf-8", "surrogateescape")))
            alerts.update(identity(alert) for alert in outcome.alerts)
    if reader.returncode != 0:
        raise AssertionError(f"kcat exits {reader.returncode}")
    return alerts

"""An independent oracle: which alerts, dead letters and skips the records of a topic must cause.

It shares no code with the engine and follows the documented contracts alone. Everything is exact
(int, Fraction, Decimal) and brute force; see README.md for what it takes and its limits.
"""

from collections import defaultdict

from oracle.canonical import parse_rulesets
from oracle.model import Near, Undecidable
from oracle.partition import Outcome, PartitionOracle
from oracle.records import Record, parse_records

__all__ = [
    "Near",
    "Outcome",
    "PartitionOracle",
    "Record",
    "Undecidable",
    "judge",
    "parse_records",
    "parse_rulesets",
]


def judge(records, rulesets, **options):
    """{partition: [Outcome in offset order]} of the records of one topic.

    options: see PartitionOracle; `activations` is {partition: [(offset, rulesets)]} here.
    """
    activations = options.pop("activations", {})
    partitions = defaultdict(list)
    for record in records:
        partitions[record.partition].append(record)
    return {
        partition: _judge_partition(
            sorted(own, key=lambda each: each.offset),
            rulesets,
            {**options, "activations": activations.get(partition, ())},
        )
        for partition, own in sorted(partitions.items())
    }


def _judge_partition(records, rulesets, options):
    oracle = PartitionOracle(rulesets, **options)
    return [oracle.take(record) for record in records]

"""What a healthy engine answers on /metrics: one or two series of every metric of the catalogue."""

_LABELS = {
    "topic": 'topic="bank.public.transactions"',
    "partition": 'topic="bank.public.transactions",partition="0"',
    "skip": 'topic="bank.public.transactions",reason="operation"',
    "reject": 'topic="bank.public.transactions",reason="missing_field"',
    "alert": 'ruleset="card-risk",severity="high",mode="enforce"',
    "rule": 'ruleset="card-risk",rule="card-burst",agent="velocity",severity="high",mode="enforce"',
    "agent": 'agent="busy",reason="event_error"',
    "time": 'topic="bank.public.transactions",time_source="record"',
    "rebalance": 'type="assigned"',
    "pause": 'reason="reject_storm"',
    "build": 'version="0.1.0",librdkafka="2.0.2"',
    "": "",
}

# metric -> (type, labels, value)
_METRICS = {
    "caracal_build_info": ("gauge", "build", 1),
    "caracal_records_consumed_total": ("counter", "topic", 1000),
    "caracal_transactions_evaluated_total": ("counter", "topic", 900),
    "caracal_event_time_fallbacks_total": ("counter", "time", 2),
    "caracal_decode_full_parses_total": ("counter", "topic", 5),
    "caracal_records_skipped_total": ("counter", "skip", 90),
    "caracal_dead_letters_total": ("counter", "reject", 10),
    "caracal_records_replayed_total": ("counter", "topic", 0),
    "caracal_alerts_total": ("counter", "alert", 7),
    "caracal_rule_hits_total": ("counter", "rule", 9),
    "caracal_agent_errors_total": ("counter", "agent", 0),
    "caracal_kafka_lag_records": ("gauge", "partition", 3),
    "caracal_kafka_committed_offset": ("gauge", "partition", 1000),
    "caracal_kafka_assigned_partitions": ("gauge", "", 6),
    "caracal_kafka_rebalances_total": ("counter", "rebalance", 1),
    "caracal_transactions_torn_total": ("counter", "", 0),
    "caracal_backpressure_seconds_total": ("counter", "", 0.5),
    "caracal_pending_output_bytes": ("gauge", "", 0),
    "caracal_state_keys": ("gauge", "topic", 400),
    "caracal_state_bytes": ("gauge", "topic", 81920),
    "caracal_state_evictions_total": ("counter", "topic", 0),
    "caracal_partitions_paused": ("gauge", "pause", 0),
    "caracal_key_mismatches_total": ("counter", "topic", 0),
    "caracal_state_gaps_total": ("counter", "", 0),
    "caracal_rule_conflicts_total": ("counter", "", 0),
    "caracal_replay_debt_records": ("gauge", "partition", 20_000),
    "caracal_replay_budget_records": ("gauge", "", 3_000_000),
    "caracal_recovery_seconds": ("gauge", "", 0.4),
    "caracal_recovery_limit_seconds": ("gauge", "", 10),
    "caracal_state_budget_bytes": ("gauge", "", 3_221_225_472),
    "caracal_memory_limit_bytes": ("gauge", "", 6_442_450_944),
    "process_cpu_seconds_total": ("counter", "", 12.5),
    "process_resident_memory_bytes": ("gauge", "", 52428800),
    "process_open_fds": ("gauge", "", 40),
    "process_max_fds": ("gauge", "", 1024),
    "process_start_time_seconds": ("gauge", "", 1700000000),
}
_HISTOGRAMS = (
    "caracal_end_to_end_latency_seconds", "caracal_cdc_delay_seconds",
    "caracal_epoch_commit_duration_seconds", "caracal_agent_duration_seconds",
)
BUCKETS = 17  # 0.0005 s times 2^0 .. 2^16


def text(scrape):
    """The answer to the scrape with this number: counters grow from one to the next."""
    lines = []
    for name, (kind, labels, value) in _METRICS.items():
        value += scrape if kind == "counter" else 0
        _family(lines, name, kind)
        lines.append(f"{name}{{{_LABELS[labels]}}} {value}" if labels else f"{name} {value}")
    for name in _HISTOGRAMS:
        _family(lines, name, "histogram")
        for bucket in range(BUCKETS):
            lines.append(f'{name}_bucket{{le="{0.0005 * 2 ** bucket:g}"}} {bucket * (scrape + 1)}')
        count = BUCKETS * (scrape + 1)
        lines += [f'{name}_bucket{{le="+Inf"}} {count}', f"{name}_sum {count}",
                  f"{name}_count {count}"]
    return "\n".join(lines) + "\n"


def _family(lines, name, kind):
    lines += [f"# HELP {name} See caracal list metrics.", f"# TYPE {name} {kind}"]

#!/usr/bin/env python3
"""Writes the Grafana dashboards next to this script from the panel lists below.

Dashboards are code: change the list, run this, commit both. Every query is restricted to the jobs
and instances the viewer has chosen; rates use $__rate_interval. The metrics are those of
`caracal list metrics`.
"""

import argparse
import dataclasses
import json
import pathlib
import sys

WIDTH = 24  # of a Grafana row
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WHO = 'job=~"$job", instance=~"$instance"'


@dataclasses.dataclass(frozen=True)
class Panel:
    """One panel: `queries` are (expression, legend); a stat shows the last value, a timeseries
    all of them, a table one row per series."""

    title: str
    description: str
    unit: str
    queries: tuple
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False
    red_above: float | None = None


def of(metric, labels=""):
    """The series of `metric` the viewer has chosen."""
    return f"{metric}{{{WHO}{labels}}}"


def total(metric, by=""):
    """The sum of a gauge, of all series or by labels."""
    return f"sum by ({by}) ({of(metric)})" if by else f"sum({of(metric)})"


def rate(metric, by, labels=""):
    """The growth of a counter per second, by labels."""
    return f"sum by ({by}) (rate({of(metric, labels)}[$__rate_interval]))"


def quantiles(metric, *shares):
    """Queries for quantiles of a histogram over the chosen instances."""
    buckets = rate(f"{metric}_bucket", "le")
    return tuple((f"histogram_quantile({share}, {buckets})", f"p{share * 100:g}")
                 for share in shares)


LATENCY = "caracal_end_to_end_latency_seconds"
CDC_DELAY = "caracal_cdc_delay_seconds"
COMMIT = "caracal_epoch_commit_duration_seconds"
ENFORCED = ', mode="enforce"'

ROWS = (
    ("Is it well?", (
        Panel("Instances up", "Instances that answered the last scrape.", "short",
              ((total("up"), "up"),), "stat", 4),
        Panel("Transactions", "Transactions judged per second, all topics.", "reqps",
              ((rate("caracal_transactions_evaluated_total", "job"), "{{job}}"),), "stat", 4),
        Panel("Lag", "Records in Kafka that have not been judged yet.", "short",
              ((total("caracal_kafka_lag_records"), "lag"),), "stat", 4),
        Panel("Alerts", "Alerts per second of enforced rulesets.", "cps",
              ((rate("caracal_alerts_total", "job", ENFORCED), "{{job}}"),), "stat", 4),
        Panel("Latency p99", "From the commit of a payment in the database to the acknowledgement "
              "of its alert by Kafka, 99th percentile.", "s", quantiles(LATENCY, 0.99), "stat", 4,
              red_above=1.024),
        Panel("Paused partitions", "Partitions that are not read until someone resumes them.",
              "short", ((total("caracal_partitions_paused"), "paused"),), "stat", 4, red_above=1),
    )),
    ("Records", (
        Panel("Consumed", "Records taken from Kafka per second, by topic.", "reqps",
              ((rate("caracal_records_consumed_total", "topic"), "{{topic}}"),)),
        Panel("Evaluated", "Transactions judged per second, by topic.", "reqps",
              ((rate("caracal_transactions_evaluated_total", "topic"), "{{topic}}"),)),
        Panel("Skipped", "Records that are not transactions to judge, per second, by reason.",
              "reqps", ((rate("caracal_records_skipped_total", "reason"), "{{reason}}"),),
              stacked=True),
        Panel("Dead letters", "Records that could not be read, per second, by reason.", "reqps",
              ((rate("caracal_dead_letters_total", "reason"), "{{reason}}"),), stacked=True),
        Panel("Replayed", "Records read again after a rebalance or a restart to rebuild state; "
              "they raise nothing.", "reqps",
              ((rate("caracal_records_replayed_total", "instance"), "{{instance}}"),)),
        Panel("Event time fallbacks", "Transactions judged by another clock per second: the mapped "
              "event time was missing or lay too far ahead.", "reqps",
              ((rate("caracal_event_time_fallbacks_total", "time_source"), "{{time_source}}"),)),
        Panel("Decoded without parsing", "Share of records, replayed ones included, whose layout "
              "was remembered: near 100 %, but after a change of the schema, from which it comes "
              "back by itself.", "percentunit",
              (("1 - " + rate("caracal_decode_full_parses_total", "topic") + " / ("
                + rate("caracal_records_consumed_total", "topic") + " + "
                + rate("caracal_records_replayed_total", "topic") + ")", "{{topic}}"),)),
        Panel("Unaccounted", "Consumed, but neither evaluated, skipped nor dead-lettered: 0 at "
              "every epoch boundary; anything that stays is a bug.", "short",
              ((total("instance:caracal_records_unaccounted:sum", "instance"), "{{instance}}"),)),
    )),
    ("Alerts and rules", (
        Panel("Alerts by ruleset", "Alerts per second, by ruleset and mode.", "cps",
              ((rate("caracal_alerts_total", "ruleset, mode"), "{{ruleset}} ({{mode}})"),)),
        Panel("Alerts by severity", "Alerts of enforced rulesets per second, by the severity of "
              "the most severe rule that raised.", "cps",
              ((rate("caracal_alerts_total", "severity", ENFORCED), "{{severity}}"),),
              stacked=True),
        Panel("Alert share", "Alerts of each enforced ruleset per evaluated transaction.",
              "percentunit",
              ((rate("caracal_alerts_total", "ruleset", ENFORCED) + " / ignoring (ruleset) "
                "group_left () sum(rate(" + of("caracal_transactions_evaluated_total")
                + "[$__rate_interval]))", "{{ruleset}}"),)),
        Panel("Rule hits", "How often each rule raised per second, whether or not its ruleset "
              "alerted.", "cps",
              ((rate("caracal_rule_hits_total", "ruleset, rule, mode"),
                "{{ruleset}} / {{rule}} ({{mode}})"),)),
    )),
    ("Plugins", (
        Panel("Errors of plugins", "What plugins did that they must not, per second, by agent and "
              "reason.", "cps",
              ((rate("caracal_agent_errors_total", "agent, reason"), "{{agent}} ({{reason}})"),)),
        Panel("Time of plugins", "Processors each plugin keeps busy, of all workers together.",
              "short", ((rate("caracal_agent_duration_seconds_sum", "agent"), "{{agent}}"),)),
    )),
    ("Latency", (
        Panel("End to end", "From the commit of a payment in the database to the acknowledgement "
              "of its alert by Kafka.", "s", quantiles(LATENCY, 0.5, 0.99, 0.999)),
        Panel("Change data capture", "From the commit in the database to the record in Kafka: what "
              "is spent before the engine sees it.", "s", quantiles(CDC_DELAY, 0.5, 0.99)),
        Panel("Commit", "How long a commit takes: alerts, dead letters and offsets in one "
              "transaction.", "s", quantiles(COMMIT, 0.5, 0.99)),
    )),
    ("Kafka", (
        Panel("Lag by topic", "Records in Kafka that have not been judged yet.", "short",
              ((total("caracal_kafka_lag_records", "topic"), "{{topic}}"),), width=6),
        Panel("Committed", "Offsets committed per second; a flat zero with lag means nothing "
              "gets out.", "reqps",
              ((f"sum by (topic) (deriv({of('caracal_kafka_committed_offset')}[$__rate_interval]))",
                "{{topic}}"),), width=6),
        Panel("Assigned partitions", "Partitions each instance owns.", "short",
              ((total("caracal_kafka_assigned_partitions", "instance"), "{{instance}}"),),
              width=6, stacked=True),
        Panel("Rebalances", "Partitions that change hands per second, by type.", "cps",
              ((rate("caracal_kafka_rebalances_total", "type"), "{{type}}"),), width=6),
        Panel("Backpressure", "Share of time in which the engine does not read because workers or "
              "commits are behind.", "percentunit",
              ((rate("caracal_backpressure_seconds_total", "instance"), "{{instance}}"),)),
        Panel("Pending output", "Bytes of alerts and dead letters that wait for their commit.",
              "bytes", ((total("caracal_pending_output_bytes", "instance"), "{{instance}}"),)),
        Panel("Pauses", "Partitions that are not read, by reason.", "short",
              ((total("caracal_partitions_paused", "reason"), "{{reason}}"),)),
    )),
    ("State and process", (
        Panel("Keys", "Keys with state, by topic.", "short",
              ((total("caracal_state_keys", "topic"), "{{topic}}"),), width=6),
        Panel("State", "Memory of the key tables, by topic.", "bytes",
              ((total("caracal_state_bytes", "topic"), "{{topic}}"),), width=6),
        Panel("Evictions", "Keys dropped per second to stay within the memory bound. Their counts "
              "start again at zero.", "cps",
              ((rate("caracal_state_evictions_total", "instance"), "{{instance}}"),), width=6),
        Panel("Memory", "Resident memory of the process.", "bytes",
              ((total("process_resident_memory_bytes", "instance"), "{{instance}}"),), width=6),
        Panel("Processors", "Processors in use.", "short",
              ((rate("process_cpu_seconds_total", "instance"), "{{instance}}"),)),
        Panel("File descriptors", "Open file descriptors, as a share of the limit.", "percentunit",
              ((total("process_open_fds", "instance") + " / "
                + total("process_max_fds", "instance"), "{{instance}}"),)),
        Panel("Versions", "What runs where.", "short",
              ((total("caracal_build_info", "instance, version, librdkafka"),
                "{{instance}}"),), "table"),
    )),
)


def panels(rows):
    """Grafana panels with ids and places, a row header before each row."""
    result, y = [], 0
    for title, row in rows:
        result.append({"id": len(result) + 1, "type": "row", "title": title, "collapsed": False,
                       "panels": [], "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y}})
        y, x, height = y + 1, 0, 4 if row[0].kind == "stat" else 8
        for panel in row:
            if x + panel.width > WIDTH:
                x, y = 0, y + height
            place = {"h": height, "w": panel.width, "x": x, "y": y}
            result.append(grafana_panel(panel, len(result) + 1, place))
            x += panel.width
        y += height
    return result


def grafana_panel(panel, number, place):
    table = panel.kind == "table"
    defaults = {"unit": panel.unit, "min": 0}
    if panel.red_above is not None:
        defaults["thresholds"] = {"mode": "absolute", "steps": [
            {"color": "green", "value": None}, {"color": "red", "value": panel.red_above}]}
    if panel.kind == "timeseries":
        defaults["custom"] = {"fillOpacity": 20 if panel.stacked else 0, "showPoints": "never",
                              "stacking": {"mode": "normal" if panel.stacked else "none"}}
    return {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.description,
        "datasource": DATASOURCE, "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options(panel.kind),
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": DATASOURCE,
             "expr": expression, "legendFormat": legend,
             "instant": table, "range": not table, **({"format": "table"} if table else {})}
            for index, (expression, legend) in enumerate(panel.queries)],
    }


def options(kind):
    if kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                "colorMode": "value", "graphMode": "area"}
    if kind == "table":
        return {"showHeader": True}
    return {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"}}


def variables():
    def query(name, label):
        expression = f"label_values(caracal_build_info, {name})" if name == "job" else \
            f'label_values(caracal_build_info{{job=~"$job"}}, {name})'
        return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE,
                "query": {"query": expression, "refId": name}, "definition": expression,
                "refresh": 2, "sort": 1, "multi": True, "includeAll": True, "allValue": ".+",
                "current": {"text": "All", "value": "$__all"}}
    return [{"name": "datasource", "label": "Data source", "type": "datasource",
             "query": "prometheus", "current": {}},
            query("job", "Job"), query("instance", "Instance")]


def dashboard(uid, title, description, rows):
    return {
        "uid": uid, "title": title, "description": description, "tags": ["caracal"],
        "editable": False, "graphTooltip": 1, "schemaVersion": 39, "version": 1,
        "time": {"from": "now-1h", "to": "now"}, "refresh": "30s", "timezone": "utc",
        "templating": {"list": variables()}, "annotations": {"list": []}, "links": [],
        "panels": panels(rows),
    }


DASHBOARDS = {
    "overview.json": dashboard(
        "caracal-overview", "Caracal overview",
        "Is fraud found, how fast, and what is in the way.", ROWS),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true",
                        help="write nothing; exit 1 when a committed dashboard is out of date")
    check = parser.parse_args().check
    stale = []
    for name, content in DASHBOARDS.items():
        path = pathlib.Path(__file__).with_name(name)
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"run {pathlib.Path(__file__).name}: out of date: {', '.join(stale)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

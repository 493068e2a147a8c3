#!/usr/bin/env python3
"""Runs every query of the dashboards against a Prometheus, and asks it for the health of its rules.

A query that Prometheus refuses is a finding; so is a panel without any series, unless it is one of
QUIET_PANELS. Exit code 0: nothing found; 1: findings, one per line; 69: no Prometheus at --url.
"""

import argparse
import json
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

# Panels whose series appear only once something has gone wrong, or after a first replay.
QUIET_PANELS = {
    "Dead letters", "Evictions", "Pauses", "Paused partitions", "Rebalances", "Replayed", "Skipped",
}
EXIT_FINDINGS, EXIT_UNAVAILABLE = 1, 69
REFUSED = (400, 422)  # about the expression; anything else is about the server


class Unavailable(Exception):
    """Nothing at the URL answers like a Prometheus."""


class Prometheus:
    """The HTTP API of a Prometheus server."""

    def __init__(self, url):
        self._url = url.rstrip("/")

    def query(self, expression):
        """The series an instant query yields. ValueError: Prometheus refuses the expression."""
        return self._get("query", query=expression)["result"]

    def unhealthy_rules(self):
        """(rule name, error) of every rule whose last evaluation failed."""
        groups = self._get("rules")["groups"]
        return [(rule["name"], rule.get("lastError", "")) for group in groups
                for rule in group["rules"] if rule["health"] == "err"]

    def _get(self, path, **parameters):
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            if error.code in REFUSED:
                raise ValueError(_reason(error)) from error
            raise Unavailable(f"{self._url} answers {error}") from error
        except (OSError, json.JSONDecodeError) as error:
            raise Unavailable(f"no Prometheus at {self._url}: {error}") from error
        return answer["data"]


def _reason(error):
    try:
        return json.load(error)["error"]
    except (json.JSONDecodeError, KeyError):
        return str(error)


def queries(dashboard, rate_interval):
    """(panel title, expression) of every target, with the variables filled in: all jobs, all
    instances. An alternative to $__rate_interval that a short run can fill is `rate_interval`."""
    variables = {"$__rate_interval": rate_interval, "$__interval": rate_interval}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            variables["$" + variable["name"]] = variable.get("allValue") or ".+"
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name in sorted(variables, key=len, reverse=True):
                expression = expression.replace(name, variables[name])
            yield panel["title"], expression


def findings(prometheus, paths, rate_interval, required):
    """All findings as sentences. `required` = titles that must have series; None = all but the
    quiet ones."""
    for path in paths:
        dashboard = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        titles = set()
        for title, expression in queries(dashboard, rate_interval):
            titles.add(title)
            needed = title in required if required else title not in QUIET_PANELS
            problem = _problem(prometheus, expression, needed)
            if problem:
                yield f"{path}: panel '{title}': {problem}: {expression}"
        for title in sorted((required or set()) - titles):
            yield f"{path}: there is no panel '{title}'"
    for name, error in prometheus.unhealthy_rules():
        yield f"rule {name}: {error}"


def _problem(prometheus, expression, needed):
    try:
        series = prometheus.query(expression)
    except ValueError as error:
        return f"refused ({error})"
    return "no series" if needed and not series else None


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:9090", help="of Prometheus (%(default)s)")
    parser.add_argument("--rate-interval", default="1m", metavar="DURATION",
                        help="stands for $__rate_interval (%(default)s)")
    parser.add_argument("--require", action="append", metavar="TITLE",
                        help="a panel that must have series; may be repeated (default: all but "
                             + ", ".join(sorted(QUIET_PANELS)) + ")")
    parser.add_argument("dashboards", nargs="*", metavar="FILE",
                        default=sorted(here.glob("dashboards/*.json")),
                        help="dashboards (default: those beside this script)")
    arguments = parser.parse_args()
    try:
        found = list(findings(Prometheus(arguments.url), arguments.dashboards,
                              arguments.rate_interval, set(arguments.require or ())))
    except Unavailable as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    for finding in found:
        print(finding)
    return EXIT_FINDINGS if found else 0


if __name__ == "__main__":
    sys.exit(main())

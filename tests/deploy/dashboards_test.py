#!/usr/bin/env python3
"""The dashboards are what generate.py says, follow the rules of grafana/dashboard-linter, and every
query of theirs, and every rule, works in a real Prometheus that scrapes a healthy engine."""

import http.server
import itertools
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import exposition

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "monitoring"
DASHBOARDS = sorted(MONITORING.glob("dashboards/*.json"))
# Of Grafana's units, those in use; a misspelt unit shows as plain text.
UNITS = {"short", "reqps", "cps", "s", "bytes", "percentunit"}
START_SECONDS = 30

sys.path.insert(0, str(MONITORING))
import check_dashboards  # noqa: E402  (lives beside the dashboards, not beside this test)


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def charts(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


class DashboardRulesTest(unittest.TestCase):
    def test_committed_dashboards_are_generated(self):
        run = subprocess.run(
            [sys.executable, "-B", MONITORING / "dashboards" / "generate.py", "--check"],
            capture_output=True, text=True, check=False)
        self.assertEqual(0, run.returncode, run.stdout + run.stderr)

    def test_there_is_a_dashboard(self):
        self.assertTrue(DASHBOARDS)

    def test_dashboards_are_code(self):
        for path in DASHBOARDS:
            dashboard = load(path)
            self.assertFalse(dashboard["editable"], path)
            self.assertRegex(dashboard["uid"], r"^caracal-[a-z-]+$")

    def test_data_source_job_and_instance_are_variables(self):
        for path in DASHBOARDS:
            variables = {v["name"]: v for v in load(path)["templating"]["list"]}
            self.assertEqual("datasource", variables["datasource"]["type"])
            for name in ("job", "instance"):
                self.assertEqual("${datasource}", variables[name]["datasource"]["uid"])
                self.assertTrue(variables[name]["multi"])
                self.assertEqual(".+", variables[name]["allValue"])
                self.assertEqual(2, variables[name]["refresh"], "reload when the time changes")

    def test_panels_explain_themselves(self):
        for path in DASHBOARDS:
            panels = charts(load(path))
            self.assertEqual(len(panels), len({p["title"] for p in panels}), "titles are unique")
            for panel in panels:
                self.assertTrue(panel["title"] and panel["description"], panel["title"])
                self.assertIn(panel["fieldConfig"]["defaults"]["unit"], UNITS, panel["title"])
                self.assertEqual("${datasource}", panel["datasource"]["uid"], panel["title"])
                self.assertTrue(panel["targets"], panel["title"])

    def test_panels_do_not_overlap(self):
        for path in DASHBOARDS:
            taken = set()
            for panel in load(path)["panels"]:
                place = panel["gridPos"]
                cells = set(itertools.product(range(place["x"], place["x"] + place["w"]),
                                              range(place["y"], place["y"] + place["h"])))
                self.assertFalse(taken & cells, panel["title"])
                self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
                taken |= cells

    def test_queries_are_restricted_and_rates_fit_the_zoom(self):
        for path in DASHBOARDS:
            for panel in charts(load(path)):
                for target in panel["targets"]:
                    expression = target["expr"]
                    selectors = re.findall(r"\b[a-z_:]+\{([^}]*)\}", expression)
                    self.assertTrue(selectors, expression)
                    for selector in selectors:
                        self.assertIn('job=~"$job", instance=~"$instance"', selector)
                    for window in re.findall(r"\[([^\]]+)\]", expression):
                        self.assertEqual("$__rate_interval", window, expression)
                    for counter in re.findall(r"(\w*)\(\w+_total\{", expression):
                        self.assertEqual("rate", counter, expression)

    def test_quiet_panels_exist(self):
        titles = {panel["title"] for path in DASHBOARDS for panel in charts(load(path))}
        self.assertEqual(set(), check_dashboards.QUIET_PANELS - titles)


class Engine(http.server.BaseHTTPRequestHandler):
    """Answers /metrics like a healthy engine."""

    scrapes = itertools.count()

    def do_GET(self):  # noqa: N802  (the name http.server calls)
        body = exposition.text(next(self.scrapes)).encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Silence: the scrapes are not the test's output."""


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
class LiveQueriesTest(unittest.TestCase):
    def setUp(self):
        engine = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Engine)
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        self.addCleanup(engine.server_close)
        self.addCleanup(engine.shutdown)
        folder = tempfile.TemporaryDirectory(prefix="caracal-prometheus-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.prometheus = check_dashboards.Prometheus(self.start(engine.server_address[1]))

    def start(self, engine_port):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        (self.folder / "prometheus.yaml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(MONITORING / "rules" / "*.yaml")],
            "scrape_configs": [{"job_name": "caracal", "static_configs": [
                {"targets": [f"127.0.0.1:{engine_port}"]}]}],
        }), encoding="utf-8")
        process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yaml",
             f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address={address}",
             "--log.level=error"], stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return f"http://{address}"

    def wait_for_series(self, expression):
        """Until the expression yields series: rates want two scrapes, rules an evaluation more."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.prometheus.query(expression):
                    return
            except check_dashboards.Unavailable:
                pass
            time.sleep(0.1)
        self.fail(f"no series of {expression} within {START_SECONDS} s")

    def test_every_query_and_rule_works(self):
        self.wait_for_series("instance:caracal_records_unaccounted:sum")
        self.wait_for_series("job:caracal_cdc_delay_seconds:p99_5m >= 0")
        check_dashboards.QUIET_PANELS.clear()  # this engine has a series of everything
        found = list(check_dashboards.findings(self.prometheus, DASHBOARDS, "1m", set()))
        self.assertEqual([], found)

        required = {"Consumed", "No such panel"}
        found = list(check_dashboards.findings(self.prometheus, DASHBOARDS, "1m", required))
        self.assertEqual([f"{DASHBOARDS[0]}: there is no panel 'No such panel'"], found)

        broken = self.folder / "broken.json"
        broken.write_text(json.dumps({"templating": {"list": []}, "panels": [
            {"title": "A", "targets": [{"expr": "sum(("}]},
            {"title": "B", "targets": [{"expr": "no_such_metric"}]}]}), encoding="utf-8")
        found = list(check_dashboards.findings(self.prometheus, [broken], "1m", set()))
        self.assertEqual(2, len(found), found)
        self.assertIn("panel 'A': refused", found[0])
        self.assertIn("panel 'B': no series", found[1])


if __name__ == "__main__":
    unittest.main()

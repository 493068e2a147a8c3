"""A running engine, scraped by a real Prometheus with the shipped rules: promtool finds nothing in
/metrics, every query of the dashboard is accepted and has series, every rule evaluates, and the
conservation law holds in what was scraped. The engine has a plugin, whose alerts are those of an
independent look at the rows."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from harness import rows, suite
from harness.scenario import Scenario
from harness.stack import REPOSITORY, Stack
from harness.waiting import wait_until

STACK = Stack()
SEED = int(os.environ.get("CARACAL_E2E_SEED", random.randrange(1 << 32)))
MONITORING = REPOSITORY / "deploy" / "monitoring"
PAYMENTS = 3_000
DENIED_COUNTRY = "IR"
# Of the components that are not there: Connect's and PostgreSQL's exporters, container limits.
SCRAPE = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}/*.yaml"]
scrape_configs:
  - job_name: caracal
    static_configs: [{{targets: ["{admin}"]}}]
"""


def setUpModule():
    unittest.addModuleCleanup(STACK.stop)
    STACK.start()


class MonitoringTest(unittest.TestCase):
    def test_prometheus_understands_a_running_engine(self):
        scenario = self._running_engine()
        member = scenario.members[0]
        metrics = member.text("/metrics")
        self._assert_promtool_finds_nothing(metrics)
        self._assert_conservation(member)
        url = self._start_prometheus(member.admin)
        wait_until(lambda: _scrapes(url) >= 3, "three scrapes", 30)
        check = subprocess.run(
            ["python3", str(MONITORING / "check_dashboards.py"), "--url", url,
             "--rate-interval", "30s"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.assertEqual((check.returncode, check.stdout), (0, ""), check.stderr)
        self._assert_alerts_of_the_plugin(scenario)
        scenario.stop_members()

    def _running_engine(self):
        """One member that has judged payments, rejected a record and skipped others."""
        print(f"CARACAL_E2E_SEED={SEED}")
        rng = random.Random(SEED)
        payments = rows.random_card_payments(
            rng, PAYMENTS, 1, list(range(1, 41)), rows.hours_ago(30), 10**11
        )
        self._denied = {
            str(payment["id"]) for payment in payments if payment["country"] == DENIED_COUNTRY
        }
        STACK.create_database("cards")
        STACK.create_connector("transactions-by-account.json", "cards")
        topic = "cards.public.card_transactions"
        scenario = Scenario(STACK, "watched", "cards.yaml", topic, 6, environment=self._plugin())
        self.addCleanup(scenario.kill_members)
        STACK.psql("cards", rows.insert("card_transactions", payments))
        STACK.psql("cards", "DELETE FROM card_transactions WHERE id = 7")
        scenario.wait_for_records(PAYMENTS + 2)
        scenario.kafka.produce(topic, 0, b"{broken", key='{"user_id":1}')
        scenario.start_member().wait_ready()
        scenario.wait_until_judged()
        return scenario

    def _plugin(self):
        """Settings that load a plugin, for which the dashboard has panels, and a rule of it. It
        lies where nobody else may write, whatever this user's umask."""
        directory = tempfile.mkdtemp(prefix="caracal-plugins-")
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        plugin = shutil.copy(os.environ["CARACAL_PLUGIN"], directory)
        os.chmod(plugin, 0o644)
        denied = pathlib.Path(directory) / "denied.txt"
        denied.write_text(f"{DENIED_COUNTRY}  # for a test\n")
        return {"CARACAL_PLUGIN_DIRECTORIES": f"[{directory}]",
                "CARACAL_PLUGINS": f"[{{path: {plugin}}}]",
                "CARACAL_RULE_FILES": "[rules/cards.yaml, rules/screening.yaml]",
                "E2E_DENIED": str(denied)}

    def _assert_alerts_of_the_plugin(self, scenario):
        alerts = [json.loads(record.value) for record in scenario.read_stable("watched.alerts")]
        screened = [alert["transaction_id"] for alert in alerts if alert["ruleset"] == "screening"]
        self.assertEqual(sorted(screened), sorted(self._denied))
        self.assertGreater(len(screened), 0)

    def _assert_promtool_finds_nothing(self, metrics):
        lint = subprocess.run(
            ["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True,
            timeout=30,
        )  # fmt: skip
        self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))
        broken = metrics.replace("# TYPE caracal_alerts_total counter", "# TYPE caracal_alerts x")
        negative = subprocess.run(
            ["promtool", "check", "metrics"], input=broken, capture_output=True, text=True,
            timeout=30,
        )  # fmt: skip
        self.assertNotEqual(negative.returncode, 0, "promtool finds what is wrong")

    def _assert_conservation(self, member):
        consumed = member.metric("caracal_records_consumed_total")
        self.assertEqual(consumed, PAYMENTS + 3)
        ended = sum(
            member.metric(name)
            for name in (
                "caracal_transactions_evaluated_total",
                "caracal_records_skipped_total",
                "caracal_dead_letters_total",
            )
        )
        self.assertEqual(consumed, ended)

    def _start_prometheus(self, admin):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="caracal-prometheus-"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        config = directory / "prometheus.yaml"
        config.write_text(SCRAPE.format(rules=MONITORING / "rules", admin=admin))
        address = f"127.0.0.1:{STACK.admin_ports[-1]}"
        log = open(directory / "log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
             f"--web.listen-address={address}"],
            stdout=log, stderr=log,
        )  # fmt: skip
        self.addCleanup(_end, process)
        return f"http://{address}"


def _end(process):
    process.terminate()
    process.wait(20)


def _scrapes(url):
    """Times Prometheus has scraped the engine with success; 0 while it does not answer."""
    query = f"{url}/api/v1/query?query=sum(count_over_time(up%7Bjob=%22caracal%22%7D%5B5m%5D))"
    try:
        with urllib.request.urlopen(query, timeout=5) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return 0
    value = text.partition('"value":[')[2].partition(",")[2].strip('"]}')
    return int(value) if value.isdigit() else 0


if __name__ == "__main__":
    suite.main()

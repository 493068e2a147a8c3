"""What the commands make of a configuration with a plugin.

Usage: plugin_commands_test.py CARACAL BUSY_PLUGIN
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CARACAL, PLUGIN = sys.argv[1:3]

CONFIG = """\
kafka: {{bootstrap_servers: "localhost:9092"}}
streams:
  - topic: payments
    currency: EUR
    fields: {{id: id, account: user_id, amount: amount, time: created_at}}
alerts: {{topic: alerts}}
dead_letters: {{topic: dead}}
state: {{topic: state}}
rule_files: [rules.yaml]
plugin_directories: ["{directories}"]
plugins:
  - {{path: "{path}"{more}}}
"""
RULES = """\
version: 1
rulesets:
  - name: busy-cards
    alert_above: 10
    rules:
      - {{id: busy-card, agent: busy, {parameters}, score: 30}}
"""


class PluginCommandsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.plugin = self.folder / "busy.so"
        shutil.copy(PLUGIN, self.plugin)
        self.plugin.chmod(0o755)

    def caracal(self, *command, more="", parameters="max: 20", directories=None):
        config = self.folder / "caracal.yaml"
        config.write_text(CONFIG.format(directories=directories or self.folder, path=self.plugin,
                                        more=more), encoding="utf-8")
        (self.folder / "rules.yaml").write_text(RULES.format(parameters=parameters),
                                                encoding="utf-8")
        return subprocess.run([CARACAL, *command, "-c", config], capture_output=True, text=True,
                              check=False)

    def assert_refused(self, result, code, text):
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertIn(f"error[{code}]", result.stderr)
        self.assertIn(text, result.stderr)

    def version(self, more=""):
        result = self.caracal("list", "rulesets", "--format", "json", more=more)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)[0]["version"]

    def test_validate_accepts_a_rule_of_a_plugin(self):
        result = self.caracal("validate")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_validate_checks_the_parameters_by_the_plugins_schema(self):
        self.assert_refused(self.caracal("validate", parameters="max: 0"), "CFG015", "max")
        self.assert_refused(self.caracal("validate", parameters="maxx: 1"), "RUL013", "maxx")
        self.assert_refused(self.caracal("validate", parameters="version: 2"), "CFG013", "'max'")

    def test_list_agents_shows_the_plugin_beside_the_others(self):
        result = self.caracal("list", "agents", "--format", "json")
        self.assertEqual(result.returncode, 0, result.stderr)
        agents = {agent["name"]: agent for agent in json.loads(result.stdout)}
        self.assertIn("velocity", agents)
        busy = agents["busy"]
        self.assertEqual(busy["licence"], "Apache-2.0")
        self.assertEqual(busy["path"], str(self.plugin.resolve()))
        self.assertEqual(busy["parameters"][0]["name"], "max")
        self.assertEqual(busy["reasons"][0]["name"], "too_many")

    def test_schema_of_rules_knows_the_plugin(self):
        result = self.caracal("schema", "rules")
        self.assertEqual(result.returncode, 0, result.stderr)
        rule = json.loads(result.stdout)["$defs"]["Rule"]
        self.assertIn("busy", rule["properties"]["agent"]["enum"])

    def test_the_version_of_a_ruleset_covers_the_plugin(self):
        first = self.version()
        self.assertEqual(first, self.version())
        self.assertNotEqual(first, self.version(more=", on_error: skip"))
        with self.plugin.open("ab") as plugin:
            plugin.write(b"\0")
        self.assertNotEqual(first, self.version())

    def test_a_file_others_may_write_is_refused(self):
        self.plugin.chmod(0o777)
        self.assert_refused(self.caracal("validate"), "PLG003", "chmod go-w")

    def test_a_file_of_another_digest_is_refused(self):
        digest = hashlib.sha256(self.plugin.read_bytes()).hexdigest()
        self.assertEqual(self.caracal("validate", more=f", sha256: {digest}").returncode, 0)
        wrong = "0" * 64
        self.assert_refused(self.caracal("validate", more=f', sha256: "{wrong}"'), "PLG004", digest)

    def test_a_file_outside_the_directories_is_refused(self):
        self.assert_refused(self.caracal("validate", directories="/usr/lib"), "PLG001", "/usr/lib")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

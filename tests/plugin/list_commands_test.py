"""What the commands make of the example plugin `list` and its files.

Usage: list_commands_test.py CARACAL LIST_PLUGIN
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
plugin_directories: ["{folder}"]
plugins:
  - {{path: "{folder}/list.so"}}
"""
RULES = """\
version: 1
rulesets:
  - name: screening
    alert_above: 10
    rules:
      - id: screened
        agent: list
        score: 30
        deny:
          accounts: ["{accounts}"]
"""
ACCOUNTS_LINE = 10


class ListCommandsTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copy(PLUGIN, self.folder / "list.so")
        (self.folder / "list.so").chmod(0o755)
        self.accounts = self.folder / "mules.txt"
        self.accounts.write_text("1042\n", encoding="utf-8")

    def caracal(self, *command, accounts=None):
        config = self.folder / "caracal.yaml"
        config.write_text(CONFIG.format(folder=self.folder), encoding="utf-8")
        (self.folder / "rules.yaml").write_text(RULES.format(accounts=accounts or self.accounts),
                                                encoding="utf-8")
        return subprocess.run([CARACAL, *command, "-c", config], capture_output=True, text=True,
                              check=False)

    def version(self, **options):
        result = self.caracal("list", "rulesets", "--format", "json", **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)[0]["version"]

    def assert_refused(self, says, accounts=None):
        result = self.caracal("validate", accounts=accounts)
        self.assertEqual(result.returncode, 78, result.stderr)
        self.assertIn(f"rules.yaml:{ACCOUNTS_LINE}:", result.stderr)
        self.assertIn(says, result.stderr)

    def test_a_good_list_is_taken(self):
        result = self.caracal("validate")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_version_of_a_ruleset_covers_the_bytes_of_its_lists(self):
        first = self.version()
        self.assertEqual(first, self.version())
        copy = self.folder / "copy.txt"
        shutil.copy(self.accounts, copy)
        self.assertEqual(first, self.version(accounts=copy))
        self.accounts.write_text("1042\n1043\n", encoding="utf-8")
        self.assertNotEqual(first, self.version())

    def test_the_digest_can_be_looked_up(self):
        result = self.caracal("list", "rulesets", "--canonical")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(hashlib.sha256(self.accounts.read_bytes()).hexdigest(), result.stdout)
        self.assertNotIn("mules.txt", result.stdout)

    def test_what_is_wrong_is_said_with_its_place(self):
        self.assert_refused("CFG017", accounts="mules.txt")
        self.assert_refused("CFG001", accounts=self.folder / "none.txt")
        self.assert_refused("it is a folder, not a file", accounts=self.folder)
        self.accounts.write_bytes(b"1042\n" + b"x" * 256 + b"\n")
        self.assert_refused("mules.txt:2: the entry has 256 bytes, more than 255")

    def test_it_passes_the_conformance_kit(self):
        result = subprocess.run(
            [CARACAL, "validate", "--plugin", self.folder / "list.so", "--format", "json",
             "--events", "3000", "--params", f"deny: {{accounts: [{self.accounts}]}}"],
            capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertTrue(json.loads(result.stdout)["passed"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

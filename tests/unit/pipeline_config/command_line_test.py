"""Checks the command line of `caracal`: exit codes, suggestions, where output goes, help.

usage: command_line_test.py CARACAL SOURCE_DIR PLUGIN

PLUGIN is the agent `busy` as a shared library.
"""

import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import unittest

CARACAL = sys.argv[1]
SOURCE = pathlib.Path(sys.argv[2])
PLUGIN = sys.argv[3]
EXAMPLE = str(SOURCE / "deploy/examples/caracal.yaml")

COMMANDS = [
    [],
    ["validate"],
    ["list"],
    ["list", "config"],
    ["list", "agents"],
    ["list", "errors"],
    ["list", "rulesets"],
    ["schema"],
    ["schema", "config"],
    ["schema", "rules"],
    ["completion"],
    ["completion", "bash"],
    ["version"],
]


def run(*arguments, **environment):
    return subprocess.run(
        [CARACAL, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=SOURCE,
        env={**os.environ, **environment},
    )


class CommandLineTest(unittest.TestCase):
    def test_unknown_words_end_with_a_suggestion_and_64(self):
        for arguments, hint in [
            (["validte"], "unknown command 'validte'; did you mean 'validate'?"),
            (["list", "agnts"], "unknown command 'agnts'; did you mean 'agents'?"),
            (["validate", "--fromat", "json"], "'--fromat'; did you mean '--format'?"),
            (["--verison"], "unknown option '--verison'; did you mean '--version'?"),
            (["validate", "extra"], "unexpected argument 'extra'"),
            (["validate", "--format", "xml"], "xml not in {text,json,github}"),
            ([], "name a command: demo, run,"),
            (["list"], "name a command: config, agents"),
        ]:
            result = run(*arguments)
            self.assertEqual(result.returncode, 64, arguments)
            self.assertIn(hint, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_every_help_ends_with_two_examples_that_run(self):
        for command in COMMANDS:
            result = run(*command, "--help")
            self.assertEqual(result.returncode, 0, command)
            lines = result.stdout.rstrip().splitlines()
            self.assertEqual(lines[-3], "Examples:", command)
            for line in lines[-2:]:
                words = shlex.split(line.split(">")[0].replace("./busy.so", PLUGIN))
                self.assertEqual(words[0], "caracal")
                self.assertEqual(run(*words[1:]).returncode, 0, line)

    def test_validate_succeeds_on_the_example(self):
        result = run("validate", "-c", EXAMPLE)
        self.assertEqual(result.returncode, 0)
        self.assertIn(": ok; streams: 1, rulesets: 3, rules: 8", result.stdout)
        self.assertEqual(result.stderr, "")

    def test_validate_finds_the_file_by_environment_and_applies_overrides(self):
        result = run("validate", "--set", "state.buckets=0", CARACAL_CONFIG=EXAMPLE)
        self.assertEqual(result.returncode, 78)
        self.assertIn("--set state.buckets: error[CFG015]", result.stderr)
        result = run("validate", "-c", EXAMPLE, CARACAL_STATE__BUCKETS="0")
        self.assertIn("CARACAL_STATE__BUCKETS: error[CFG015]", result.stderr)
        result = run("validate", "-c", EXAMPLE, "--set", "rule_files=[rules/card-risk.yaml]")
        self.assertIn("rulesets: 1", result.stdout)

    def test_validate_reports_errors_in_three_forms(self):
        arguments = ["validate", "-c", EXAMPLE, "--set", "streams[0].format=confluent-avro"]
        text = run(*arguments)
        self.assertEqual((text.returncode, text.stdout), (78, ""))
        self.assertIn("error[CFG050]: confluent-avro is not built into this version", text.stderr)
        as_json = run(*arguments, "--format", "json")
        self.assertEqual((as_json.returncode, as_json.stderr), (78, ""))
        self.assertEqual(json.loads(as_json.stdout)["problems"][0]["code"], "CFG050")
        github = run(*arguments, "--format", "github")
        self.assertTrue(github.stdout.startswith("::error file=--set streams[0].format,title=CFG050::"))

    def test_validate_denies_warnings_only_when_asked(self):
        arguments = ["validate", "-c", EXAMPLE, "--set", "admin.listen=0.0.0.0:9464"]
        self.assertEqual(run(*arguments).returncode, 0)
        denied = run(*arguments, "--deny-warnings")
        self.assertEqual(denied.returncode, 1)
        self.assertIn("warning[CFG056]", denied.stderr)

    def test_a_missing_configuration_is_an_error_of_configuration(self):
        with tempfile.TemporaryDirectory() as directory:
            result = run("validate", "-c", f"{directory}/caracal.yaml")
        self.assertEqual(result.returncode, 78)
        self.assertIn("No such file or directory", result.stderr)

    def test_list_rulesets_prints_what_was_hashed(self):
        listed = json.loads(run("list", "rulesets", "-c", EXAMPLE, "--format", "json").stdout)
        canonical = run("list", "rulesets", "-c", EXAMPLE, "--canonical").stdout.splitlines()
        self.assertEqual(len(listed), len(canonical))
        for ruleset, text in zip(listed, canonical):
            self.assertEqual(json.loads(text)["name"], ruleset["name"])
            digest = hashlib.sha256(text.encode()).hexdigest()
            self.assertEqual(ruleset["version"], digest[:12])

    def test_list_rulesets_of_a_bad_configuration_fails(self):
        result = run("list", "rulesets", "-c", EXAMPLE, "--set", "state.buckets=0")
        self.assertEqual((result.returncode, result.stdout), (78, ""))

    def test_version_is_machine_readable(self):
        self.assertEqual(set(json.loads(run("version", "--json").stdout)),
                         {"version", "revision", "compiler"})
        self.assertTrue(run("--version").stdout.startswith("caracal "))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

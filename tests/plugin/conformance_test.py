"""What `caracal validate --plugin` says of good plugins and of defective ones.

Usage: conformance_test.py CARACAL PLUGIN_DIRECTORY
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

CARACAL, PLUGINS = sys.argv[1], pathlib.Path(sys.argv[2])
EVENTS = 3_000
CHECKS = ["load", "parameters", "hostile_events", "state_bounds", "same_twice", "other_batches",
          "several_instances", "saved_and_restored"]

# plugin -> check that finds it, and a part of what it says
DEFECTS = {
    "no_symbol": ("load", "PLG006: does not export caracal_agent_entry"),
    "newer_major": ("load", "PLG010"),
    "schema_unknown_keyword": ("load", "PLG012"),
    "crashes_when_loaded": ("load", "it crashed: Aborted"),
    "create_refuses": ("parameters", ""),
    "state_too_large": ("parameters", "bytes of state per key"),
    "describes_in_two_ways": ("parameters", "describe says other things of the same rule"),
    "process_fails": ("hostile_events", "process returned"),
    "broken_promise": ("hostile_events", "it promises to have no errors with events"),
    "verdict_reason": ("hostile_events", "a verdict has reason"),
    "verdict_fired": ("hostile_events", "a verdict has fired"),
    "verdict_flags": ("hostile_events", "a verdict has the unknown flags"),
    "remembers": ("hostile_events", "judged the same events and states in two ways"),
    "writes_behind_state": ("hostile_events", "it crashed: Segmentation fault while it judged"),
    "writes_before_state": ("hostile_events", "it wrote next to a state of 8 bytes"),
    "reads_before_state": ("state_bounds", "it crashed: Segmentation fault"),
    "writes_events": ("hostile_events", "it crashed: Segmentation fault"),
    "takes_null_for_text": ("hostile_events", "it crashed: Segmentation fault"),
    "reads_past_text": ("hostile_events", "it crashed: Segmentation fault"),
    "ends_the_process": ("hostile_events", "it ended the process with exit code 3"),
    "never_comes_back": ("hostile_events", "it did not come back within 2 s while it judged"),
    "counts_in_the_library": ("same_twice", "was judged in two ways"),
    "depends_on_batches": ("other_batches", "was judged in two ways"),
    "counts_in_the_agent": ("several_instances", "was judged in two ways"),
}
GOOD = {
    "busy": "max: 20",
    "large": "above: 100",
    "velocity": '{window: "60s", max_count: 3}',
    "event_error": "",
}


def validate(plugin, *options):
    command = [CARACAL, "validate", "--plugin", PLUGINS / f"{plugin}.so", "--format", "json",
               "--events", str(EVENTS), "--timeout", "2" if plugin == "never_comes_back" else "60",
               *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, json.loads(result.stdout)


class ConformanceTest(unittest.TestCase):
    def test_every_defect_is_found_by_the_check_that_is_for_it(self):
        for plugin, (check, says) in DEFECTS.items():
            with self.subTest(plugin):
                code, report = validate(plugin)
                self.assertEqual(code, 1)
                self.assertFalse(report["passed"])
                findings = {entry["name"]: entry["finding"] for entry in report["checks"]
                            if not entry["ok"]}
                self.assertEqual(next(iter(findings), None), check, findings)
                self.assertIn(says, findings[check])
                self.assertEqual(report["timings"], [])

    def test_what_is_kept_in_an_agent_does_not_survive_a_restart_either(self):
        _, report = validate("counts_in_the_agent")
        found = [entry["name"] for entry in report["checks"] if not entry["ok"]]
        self.assertEqual(found, ["several_instances", "saved_and_restored"])

    def test_parameters_may_name_files(self):
        with tempfile.NamedTemporaryFile() as model:
            model.write(b"x" * 5)
            model.flush()
            code, report = validate("pinned", "--params", f"model: {model.name}")
            self.assertEqual(code, 0, report)
        code, report = validate("pinned", "--params", f"model: {model.name}")
        self.assertEqual(code, 1)
        found = [entry["finding"] for entry in report["checks"] if not entry["ok"]]
        self.assertIn(f"CFG001: 'model': cannot read '{model.name}': No such file", found[0])

    def test_good_plugins_pass_and_are_timed(self):
        for plugin, parameters in GOOD.items():
            with self.subTest(plugin):
                code, report = validate(plugin, *(["--params", parameters] if parameters else []))
                self.assertEqual(code, 0, report)
                self.assertEqual([entry["name"] for entry in report["checks"]], CHECKS)
                self.assertEqual([entry["batch"] for entry in report["timings"]], [1, 8, 32, 256])
                self.assertTrue(all(entry["picoseconds_per_event"] > 0
                                    for entry in report["timings"]))
                errors = EVENTS if plugin == "event_error" else 0
                self.assertEqual(report["event_errors"], errors)

    def test_parameters_are_checked_by_the_schema(self):
        for parameters, says in (("", "'max'"), ("max: 0", "'max' must be at least 1"),
                                 ("max: 1, maxx: 2", "no parameter 'maxx'"), ("max: [", "")):
            with self.subTest(parameters):
                code, report = validate("busy", "--params", parameters)
                self.assertEqual(code, 1)
                self.assertEqual(report["checks"][-1]["name"], "parameters")
                self.assertIn(says, report["checks"][-1]["finding"])

    def test_people_read_lines(self):
        command = [CARACAL, "validate", "--plugin", PLUGINS / "busy.so", "--params", "max: 20",
                   "--events", "100"]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.splitlines()
        self.assertIn(": busy 1.0.0, interface 1.0, Apache-2.0", lines[0])
        self.assertIn("  ok    saved_and_restored", lines)
        self.assertEqual(lines[-1], "ok")

    def test_a_file_that_is_not_there(self):
        code, report = validate("nothing")
        self.assertEqual(code, 1)
        self.assertIn("No such file or directory", report["checks"][0]["finding"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

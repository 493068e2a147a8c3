"""The scorer as people get it: tried out as a library, and built from what is installed alone.

Usage: scorer_test.py CARACAL SCORER_LIBRARY FIXTURES BUILD_DIR CXX_COMPILER
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

CARACAL, LIBRARY, FIXTURES, BUILD, COMPILER = sys.argv[1:]
# What the conformance kit's stream has, in place of the six features of the models.
INPUTS = "[amount, hour_of_day, day_of_week, latitude, longitude, country=FR]"
MODELS = ["xgboost_3_logistic_100_depth_2", "xgboost_1_squared_1_depth_8",
          "scikit_learn_logistic"]


def run(*command, check=True):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=check)


def validate(library, parameters):
    result = run(CARACAL, "validate", "--plugin", library, "--format", "json", "--events", "3000",
                 "--params", parameters, check=False)
    return result.returncode, json.loads(result.stdout)


class ScorerTest(unittest.TestCase):
    def test_passes_the_conformance_kit_with_every_kind_of_model(self):
        for model in MODELS:
            with self.subTest(model):
                code, report = validate(LIBRARY, f"model: {FIXTURES}/{model}.json, "
                                                 f"threshold: 0.5, inputs: {INPUTS}")
                self.assertEqual(code, 0, report)
                self.assertEqual(report["event_errors"], 0)

    def test_a_rule_it_refuses_says_why(self):
        code, report = validate(LIBRARY, f"model: {FIXTURES}/inputs.csv, threshold: 0.5")
        self.assertEqual(code, 1)
        finding = report["checks"][-1]["finding"]
        self.assertIn("model: line 1, column 1: there should be an object", finding)

    def test_is_built_from_what_is_installed_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            prefix, build = pathlib.Path(folder) / "prefix", pathlib.Path(folder) / "build"
            run("cmake", "--install", BUILD, "--prefix", prefix, "--component", "agent_sdk")
            run("cmake", "-S", prefix / "share/caracal/examples/scorer", "-B", build, "-G",
                "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER}")
            run("cmake", "--build", build)
            exported = run("nm", "-D", "--defined-only", build / "scorer.so").stdout
            symbols = [line.split()[-1] for line in exported.splitlines()]
            ours = [symbol for symbol in symbols if not symbol.startswith("_Z")]
            self.assertEqual(ours, ["caracal_agent_entry"])
            code, report = validate(build / "scorer.so",
                                    f"model: {FIXTURES}/{MODELS[0]}.json, threshold: 0.5, "
                                    f"inputs: {INPUTS}")
            self.assertEqual(code, 0, report)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

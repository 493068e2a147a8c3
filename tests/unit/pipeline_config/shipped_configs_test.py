"""Checks every YAML file under deploy/examples: with `caracal validate`, and against the JSON
Schemas that the binary generates. Checks too that the schemas committed beside the examples are
those, and that the configuration of README.md is one.

usage: shipped_configs_test.py CARACAL SOURCE_DIR
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

HERE = pathlib.Path(__file__).parent


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


def generated_schema(caracal, name):
    result = run(caracal, "schema", name)
    assert result.returncode == 0, result.stderr
    schema = json.loads(result.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def is_rule_file(document):
    return "rulesets" in document


class Checks:
    def __init__(self, caracal, source):
        self.caracal = caracal
        self.examples = source / "deploy" / "examples"
        self.schemas = {name: generated_schema(caracal, name) for name in ("config", "rules")}
        self.failures = []

    def expect(self, good, message):
        if not good:
            self.failures.append(message)

    def schema_errors(self, document):
        schema = self.schemas["rules" if is_rule_file(document) else "config"]
        errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
        return [f"{error.json_path}: {error.message[:200]}" for error in errors]

    def check_example(self, path):
        text = path.read_text(encoding="utf-8")
        first = text.splitlines()[0]
        prefix = "# yaml-language-server: $schema="
        self.expect(first.startswith(prefix), f"{path}: the first line names no schema")
        named = path.parent / first[len(prefix):]
        self.expect(named.is_file(), f"{path}: {named} does not exist")
        document = yaml.safe_load(text)
        for error in self.schema_errors(document):
            self.failures.append(f"{path}: {error}")
        if not is_rule_file(document):
            result = run(self.caracal, "validate", "-c", str(path), "--deny-warnings")
            self.expect(result.returncode == 0, f"{path}: {result.stderr}")

    def check_readme(self, source):
        """Its YAML blocks say in their first line which file they are."""
        text = (source / "README.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        self.expect("caracal.yaml" in dict(blocks), "README.md has no block for caracal.yaml")
        with tempfile.TemporaryDirectory() as folder:
            for name, block in blocks:
                path = pathlib.Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(block, encoding="utf-8")
            config = pathlib.Path(folder) / "caracal.yaml"
            result = run(self.caracal, "validate", "-c", str(config), "--deny-warnings")
            self.expect(result.returncode == 0, f"README.md: {result.stderr}")

    def check_committed_schemas(self):
        for name, schema in self.schemas.items():
            path = self.examples / "schema" / f"{name}.schema.json"
            committed = json.loads(path.read_text(encoding="utf-8"))
            self.expect(
                committed == schema,
                f"{path} is not up to date: run `caracal schema {name} > {path}`",
            )

    def check_schema_refuses(self):
        """The schemas are not empty promises: each of these edits makes a good file bad."""
        config = yaml.safe_load((self.examples / "caracal.yaml").read_text(encoding="utf-8"))
        rules = yaml.safe_load((self.examples / "rules/card-risk.yaml").read_text(encoding="utf-8"))
        rule = rules["rulesets"][0]["rules"][0]
        edits = [
            (config, config, "colour", "red"),
            (config, config["state"], "buckets", 0),
            (config, config["state"], "buckets", "many"),
            (config, config["state"], "max_bytes_per_partition", 512),
            (config, config["streams"][0], "format", "xml"),
            (config, config["streams"][0], "topic", "a b"),
            (config, config, "rule_files", []),
            (rules, rule, "window", 60),
            (rules, rule, "max_cuont", 5),
            (rules, rule, "agent", "nobody"),
            (rules, rule, "score", "high"),
        ]
        for document, section, key, value in edits:
            missing = object()
            before = section.get(key, missing)
            section[key] = value
            self.expect(self.schema_errors(document), f"the schema accepts {key}: {value!r}")
            if before is missing:
                del section[key]
            else:
                section[key] = before
            self.expect(not self.schema_errors(document), f"{key} was not put back")

    def check_full(self):
        """A file that uses every setting is good for both."""
        path = HERE / "data" / "full.yaml"
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        for error in self.schema_errors(document):
            self.failures.append(f"{path}: {error}")
        result = run(self.caracal, "validate", "-c", str(path))
        self.expect(result.returncode == 0, f"{path}: {result.stderr}")


def main(caracal, source):
    checks = Checks(caracal, pathlib.Path(source))
    files = sorted(checks.examples.rglob("*.yaml"))
    checks.expect(len(files) >= 6, f"only {len(files)} examples found")
    for path in files:
        checks.check_example(path)
    checks.check_readme(pathlib.Path(source))
    checks.check_committed_schemas()
    checks.check_schema_refuses()
    checks.check_full()
    for failure in checks.failures:
        print(failure)
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

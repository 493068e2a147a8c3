#!/usr/bin/env python3
"""The compose stack and the image, as far as they can be checked without an engine to run them.
Exit code 77 (ctest: skipped) without PyYAML."""

import json
import pathlib
import re
import sys
import unittest

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed (./dev test installs it)")
    sys.exit(77)

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = DEPLOY / "compose"
STACK = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = STACK["services"]
DOCKERFILE = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
TAG = re.compile(r"[\w./-]+:(v?\d+\.\d+[\w.]*|[a-z]+-\d{8}(-slim)?)(@sha256:[0-9a-f]{64})?$")


def is_one_shot(service):
    return service.get("restart") == "no"


class ComposeTest(unittest.TestCase):
    def test_every_image_is_pinned_to_a_release(self):
        for name, service in SERVICES.items():
            self.assertRegex(service["image"], TAG, name)

    def test_every_service_has_a_health_check_or_ends(self):
        for name, service in SERVICES.items():
            if not is_one_shot(service):
                self.assertIn("test", service.get("healthcheck", {}), name)

    def test_ports_are_bound_to_this_machine(self):
        for name, service in SERVICES.items():
            self.assertNotIn("network_mode", service, name)
            for port in service.get("ports", ()):
                self.assertTrue(port.startswith("127.0.0.1:"), f"{name}: {port}")

    def test_services_wait_for_what_they_need(self):
        for name, service in SERVICES.items():
            for needed, how in service.get("depends_on", {}).items():
                wanted = ("service_completed_successfully" if is_one_shot(SERVICES[needed])
                          else "service_healthy")
                self.assertEqual(wanted, how["condition"], f"{name} needs {needed}")

    def test_mounted_files_exist_and_named_volumes_are_declared(self):
        for name, service in SERVICES.items():
            for volume in service.get("volumes", ()):
                source, target, *mode = volume.split(":")
                if source.startswith("."):
                    self.assertTrue((COMPOSE / source).exists(), f"{name}: {source}")
                    self.assertEqual(["ro"], mode, f"{name}: {target} comes from the checkout")
                else:
                    self.assertIn(source, STACK["volumes"], name)

    def test_env_example_names_every_variable(self):
        used = set(re.findall(r"(?<!\$)\$\{(\w+)", json.dumps(STACK)))
        example = (COMPOSE / ".env.example").read_text(encoding="utf-8")
        documented = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
        self.assertEqual(used, documented)

    def test_no_password_has_a_default(self):
        text = (COMPOSE / "compose.yaml").read_text(encoding="utf-8")
        for name in re.findall(r"\$\{(\w*PASSWORD)([^}]*)\}", text):
            self.assertTrue(name[1].startswith(":?"), name[0])

    def test_caracal_stops_later_than_its_own_timeout(self):
        self.assertEqual("30s", SERVICES["caracal"]["stop_grace_period"])

    def test_prometheus_scrapes_services_of_the_stack(self):
        config = yaml.safe_load((DEPLOY / "monitoring" / "prometheus.yaml").read_text("utf-8"))
        for job in config["scrape_configs"]:
            for target in job["static_configs"][0]["targets"]:
                host = target.rsplit(":", 1)[0]
                self.assertIn(host, {*SERVICES, "127.0.0.1"}, job["job_name"])


class ConnectorTest(unittest.TestCase):
    """The settings without which events are wrong, silently."""

    config = json.loads((COMPOSE / "connect" / "bank.json").read_text(encoding="utf-8"))

    def test_settings_that_events_depend_on(self):
        for setting, value in {
            "message.key.columns": "public.transactions:user_id",
            "decimal.handling.mode": "string",
            "value.converter.replace.null.with.default": "false",
            "extended.headers.enabled": "false",
            "publication.autocreate.mode": "disabled",
        }.items():
            self.assertEqual(value, self.config[setting], setting)

    def test_every_value_is_text_and_no_secret_is_written_down(self):
        for setting, value in self.config.items():
            self.assertIsInstance(value, str, setting)
        self.assertEqual("${env:CDC_PASSWORD}", self.config["database.password"])

    def test_connector_table_and_topic_belong_together(self):
        engine = yaml.safe_load((COMPOSE / "caracal" / "caracal.yaml").read_text("utf-8"))
        topic = f"{self.config['topic.prefix']}.{self.config['table.include.list']}"
        stream = engine["streams"][0]
        self.assertEqual(topic, stream["topic"])
        self.assertIn(f"--topic={topic}", SERVICES["topics"]["command"])
        self.assertTrue(self.config["message.key.columns"].endswith(":" + stream["key"]))

        sql = (COMPOSE / "postgres" / "10-payments.sql").read_text(encoding="utf-8")
        table = re.search(r"CREATE TABLE transactions \((.*?)\n\);", sql, re.DOTALL)[1]
        columns = set(re.findall(r"^  (\w+) ", table, re.MULTILINE))
        self.assertEqual(set(), set(stream["fields"].values()) - columns)
        self.assertIn(f"CREATE PUBLICATION {self.config['publication.name']} ", sql)


class ImageTest(unittest.TestCase):
    def test_base_image_is_pinned(self):
        base = re.search(r"^ARG DEBIAN=(\S+)$", DOCKERFILE, re.MULTILINE)[1]
        self.assertRegex(base, TAG)
        self.assertEqual({"${DEBIAN}"}, set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)))

    def test_it_does_not_run_as_root(self):
        stage = DOCKERFILE.rsplit("FROM ", 1)[1]
        self.assertIn("\nUSER 65532:65532\n", stage)
        self.assertIn('\nENTRYPOINT ["caracal"]\n', stage)
        self.assertIn('\nCMD ["run", "-c", "/etc/caracal/caracal.yaml"]\n', stage)

    def test_what_it_copies_is_in_the_build_context(self):
        ignore = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
        kept = re.findall(r"^!(\S+)$", ignore, re.MULTILINE)
        for path in kept:
            self.assertTrue((DEPLOY.parent / path).exists(), path)
        for source in re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE):
            self.assertTrue(source == "." or source in kept, source)


if __name__ == "__main__":
    unittest.main()

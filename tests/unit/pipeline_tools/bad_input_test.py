"""Walks through the mistakes of a new user, offline: every one must end with a sentence that says
what is wrong, where, and what to do, and with the right exit code.

usage: bad_input_test.py CARACAL
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

CARACAL = os.path.abspath(sys.argv[1])
USAGE, UNAVAILABLE, IO, CONFIG = 64, 69, 74, 78

CONFIGURATION = """\
kafka: {bootstrap_servers: "127.0.0.1:1", group_id: caracal}
streams:
  - topic: bank.public.transactions
    key: user_id
    fields: {id: id, account: user_id, amount: amount, time: created_at}
    amount_scale: 2
    currency: EUR
alerts: {topic: fraud.alerts}
dead_letters: {topic: fraud.dead-letters}
state: {topic: caracal.state}
rule_files: [rules.yaml]
admin: {listen: "127.0.0.1:0"}
"""
RULES = """\
version: 1
rulesets:
  - name: card-risk
    alert_above: 70
    rules:
      - {id: card-burst, agent: velocity, window: 60s, max_count: 5, score: 40}
      - {id: big-ticket, agent: amount, above: "4000.00", score: 50}
"""


class BadInputTest(unittest.TestCase):
    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.folder = pathlib.Path(self._directory.name)
        self.write("caracal.yaml", CONFIGURATION)
        self.write("rules.yaml", RULES)

    def write(self, name, text):
        data = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).write_bytes(data)

    def run_caracal(self, *arguments, **options):
        """stdout and stderr are text unless `options` send them elsewhere."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CARACAL_")}
        return subprocess.run(
            [CARACAL, *map(str, arguments)],
            **{**streams, **options},
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            cwd=self.folder,
            env=environment,
            timeout=60,
            check=False,
        )

    def assert_fails(self, arguments, code, *parts):
        """The command ends with `code`, writes nothing to stdout, and says all of `parts`."""
        done = self.run_caracal(*arguments)
        said = " ".join(done.stderr.split())
        self.assertEqual(done.returncode, code, f"{arguments}: {said}")
        self.assertEqual(done.stdout, "", arguments)
        for part in parts:
            self.assertIn(part, said, arguments)

    # -- the command line

    def test_command_line(self):
        for arguments, part in [
            ([], "caracal: name a command: demo, run, init"),
            (["nonsense"], "unknown command 'nonsense'"),
            (["vlidate"], "did you mean 'validate'?"),
            (["run", "--confg", "x"], "unknown option '--confg'; did you mean '--config'?"),
            (["--config", "x", "run"], "'--config' must come after 'caracal run'"),
            (["run", "-c"], "--config needs a value"),
            (["run", "more"], "unexpected argument 'more'"),
            (["resume"], "--topic is required"),
            (["completion", "tcsh"], "unknown command 'tcsh'"),
            (["demo", "--rate", "fast"], "--rate: 'fast' is not a number from 0"),
            (["demo", "--rate", "-1"], "--rate: '-1' is not a number from 0"),
            (["demo", "--rate", "inf"], "--rate: 'inf' is not a number from 0"),
            (["demo", "--count", "-1"], "--count: '-1' is not a whole number from 0"),
            (["demo", "--count", "1.5"], "--count: '1.5' is not a whole number from 0"),
            (["demo", "--seed", "9" * 30], "--seed: '" + "9" * 30 + "' is too large"),
            (["demo", "--duration", "5"], "--duration: '5' is not a duration: write a number and"),
            (["demo", "--duration", "0s"], "--duration: '0s' is no time at all"),
            (["demo", "--admin", "here"], "--admin: 'here' is no address: write a host and a port"),
            (["resume", "--topic", "x", "--admin", "here"], "'here' is no address"),
            (["resume", "--topic", "x", "--partition", "9999999999"], "is out of range"),
            (["init", "--partitions", "0"], "--partitions"),
            (["validate", "--format", "xml"], "xml not in {text,json,github}"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_fails(arguments, USAGE, part, "--help` shows the usage"
                                  if "--duration" not in arguments and "here" not in arguments
                                  else "caracal ")

    def test_generate_options(self):
        for arguments, part in [
            ([], "no place for the records: give --output FILE"),
            (["--output", "-", "--count", "0"], "--count is 0: give the number of records"),
            (["--output", "-", "--profile", "x"], '--profile is "x": choose one of cards, ref'),
            (["--output", "-", "--start-time", "today"], "give a time such as 2026-01-05T09"),
            (["--output", "-", "--late", "3"], "give a share between 0 and 1"),
            (["--output", "-", "--brokers", "b:1"], "exclude each other"),
            (["--brokers", "127.0.0.1:1", "--kafka-property", "no"], "write NAME=VALUE"),
            (["--brokers", "127.0.0.1:1", "--kafka-property", "no=1"], 'property: "no"'),
            (["--postgres", "nonsense"], "--postgres is no connection string: missing"),
        ]:
            with self.subTest(arguments=arguments):
                self.assert_fails(["generate", *arguments], USAGE, part)

    # -- the configuration

    def assert_configuration_fails(self, *parts):
        for command in ("validate", "run", "init"):
            self.assert_fails([command], CONFIG, "`caracal list errors` explains the codes", *parts)

    def test_a_configuration_that_cannot_be_read(self):
        for path, reason in [
            ("missing.yaml", "No such file or directory"),
            (".", "it is a folder, not a file"),
            ("caracal.yaml/x", "Not a directory"),
            ("/dev/null", "not a regular file"),
        ]:
            self.assert_fails(
                ["validate", "-c", path], CONFIG, f"error[CFG001]: cannot read '{path}': {reason}",
                "name the configuration file with -c FILE or CARACAL_CONFIG",
            )

    def test_text_that_is_no_configuration(self):
        for text, part in [
            ("a: [b\n", "error[CFG003]: this is not YAML: end of sequence flow not found"),
            ("", "caracal.yaml:1:1: error[CFG013]: required key 'kafka' is missing"),
            ("just words\n", "error["),
            (b"\x80\x1b]0;x\x07\n", "caracal.yaml:1:1: error[CFG002]: byte 0x80 is not UTF-8"),
        ]:
            self.write("caracal.yaml", text)
            self.assert_configuration_fails(part)

    def test_bytes_of_a_file_do_not_reach_the_terminal(self):
        self.write("caracal.yaml", b"kafka: \x1b[31m\x80\n")
        done = self.run_caracal("validate")
        self.assertEqual(done.returncode, CONFIG)
        self.assertNotIn("\x1b", done.stderr)

    def test_settings_that_are_wrong(self):
        for old, new, *parts in [
            ("group_id", "grup_id", "unknown key 'grup_id'", "did you mean 'group_id'?"),
            ("amount_scale: 2", "amount_scale: two", "must be a whole number, not 'two'"),
            ("amount_scale: 2", "amount_scale: 19", "'amount_scale' must be at most 9, not 19"),
            ("currency: EUR", "currency: EURO", "'EURO' is not a currency code: write three"),
            ("    currency: EUR\n", "", "currency of the amounts", "declare currency: EUR, or map"),
            ("account: user_id, ", "", "required key 'account' is missing in 'streams[0].fields'"),
            ('"127.0.0.1:1"', '"127.0.0.1"', "write host:port,host:port"),
            ('"127.0.0.1:0"', '"9464"', "write host:port, for example 127.0.0.1:9464"),
            ("fraud.alerts", "fraud alerts", "is not a topic name"),
            ("fraud.alerts", "bank.public.transactions", "it is a source already"),
            ("[rules.yaml]", "[none.yaml]", "no file matches 'none.yaml'", "relative to the conf"),
            ("EUR\n", "EUR\n    places: {file: no.csv}\n", "cannot read 'no.csv': No such file"),
            ('"127.0.0.1:1"', '"${env:NO}"', "environment variable NO is not set", "set it, or wr"),
            ("caracal}", "caracal, properties: {enable.auto.commit: true}}", "is decided by the"),
        ]:
            with self.subTest(new=new):
                self.assertIn(old, CONFIGURATION)
                self.write("caracal.yaml", CONFIGURATION.replace(old, new, 1))
                self.assert_configuration_fails("caracal.yaml:", *parts)

    def test_a_place_table_that_is_none(self):
        text = CONFIGURATION.replace("EUR\n", "EUR\n    places: {file: places.csv}\n")
        text = text.replace("id: id,", "id: id, merchant: merchant_id,")
        self.write("caracal.yaml", text)
        for places, part in [
            ("merchant;latitude;longitude\n1;2;3\n", "places.csv"),
            ("merchant,latitude,longitude\n10,north,3\n", "places.csv"),
            ("merchant,latitude,longitude\n10,91,3\n", "places.csv"),
        ]:
            with self.subTest(places=places):
                self.write("places.csv", places)
                self.assert_configuration_fails(part)

    def test_rules_that_are_wrong(self):
        for old, new, *parts in [
            ("velocity", "velocty", "there is no agent 'velocty'", "did you mean 'velocity'?"),
            ("60s", "60", "'window' needs a unit", "write 60s, 60m, 60h or 60d"),
            ("max_count: 5, ", "", "needs at least one limit; give max_count, max_amount or dist"),
            ('above: "', 'abov: "', "agent 'amount' has no parameter 'abov'", "did you mean 'above'?"),
            ("4000.00", "4000.001", "has more than 2 digits after the point"),
            ("big-ticket", "card-burst", "rule 'card-burst' exists already"),
            ("version: 1", "version: 2", "'version' must be at most 1"),
        ]:
            with self.subTest(new=new):
                self.write("rules.yaml", RULES.replace(old, new, 1))
                self.assert_configuration_fails("rules.yaml:", *parts)

    def test_an_unknown_kafka_property_is_refused_before_anything_starts(self):
        properties = "caracal, properties: {no.such.thing: 1}}"
        self.write("caracal.yaml", CONFIGURATION.replace("caracal}", properties, 1))
        for command in ("validate", "run", "init"):
            said = "librdkafka refuses 'no.such.thing': No such configuration property"
            self.assert_fails([command], CONFIG, said)

    # -- services out of reach

    def test_a_broker_out_of_reach(self):
        for arguments, program in [
            (["init"], "caracal init"),
            (["generate", "--brokers", "127.0.0.1:1"], "caracal generate"),
        ]:
            self.assert_fails(
                arguments, UNAVAILABLE, "Connection refused; trying for ten seconds",
                f"{program}: ", "127.0.0.1:1", "check ",
            )

    def test_init_prints_the_commands_without_a_broker(self):
        done = self.run_caracal("init", "--print", "--partitions", "6")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        commands = [line for line in done.stdout.splitlines() if line.startswith("kafka-topics")]
        self.assertEqual(len(commands), 3)
        self.assertTrue(all("--partitions 6" in command for command in commands))

    def test_run_goes_on_trying_and_says_so(self):
        with subprocess.Popen(
            [CARACAL, "run"], cwd=self.folder, stderr=subprocess.PIPE, text=True
        ) as process:
            said = ""
            for line in process.stderr:
                said += line
                if "no broker can be reached, trying again" in said:
                    break
            self.assertIn("Connection refused", said)
            self.assertIn("check kafka.bootstrap_servers", said)
            self.assertIsNone(process.poll(), said)
            process.terminate()
            said += process.stderr.read()
        self.assertEqual(process.returncode, 0, said)

    def test_a_port_that_is_taken(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            self.assert_fails(
                ["run", "--set", f"admin.listen={address}"], UNAVAILABLE,
                f"cannot listen on {address}", "set admin.listen to a free port",
            )
            self.assert_fails(
                ["demo", "--serve", "--admin", address], UNAVAILABLE,
                f"cannot listen on {address}", "set --admin to a free port",
            )

    def test_resume_without_an_instance(self):
        self.assert_fails(
            ["resume", "--topic", "x", "--admin", "127.0.0.1:1"], UNAVAILABLE,
            "cannot talk to the admin listener at 127.0.0.1:1: Connection refused",
            "is caracal running there",
        )

    def test_postgres_out_of_reach(self):
        self.assert_fails(
            ["generate", "--postgres", "host=127.0.0.1 port=1 connect_timeout=2"], UNAVAILABLE,
            "cannot connect to PostgreSQL: connection to server at", "Connection refused Is the",
        )

    # -- output

    def test_files_that_cannot_be_written(self):
        load = ["generate", "--count", "100", "--output"]
        for arguments, *parts in [
            ([*load, "/dev/full"], "writing /dev/full failed: No space left", "; make room"),
            ([*load, "no/such/folder"], "No such file or directory; create its folder first"),
            ([*load, "."], "opening . failed: Is a directory; name a file in it"),
            (["demo", "--count", "10", "--record", "no/such"], "making the folder no/such failed"),
            (["demo", "--count", "10", "--record", "/dev/null"], "Not a directory"),
        ]:
            self.assert_fails(arguments, IO, f"caracal {arguments[0]}: ", *parts)

    def test_a_standard_output_that_cannot_be_written(self):
        for arguments in (["list", "config"], ["version"], ["--help"], ["validate"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = self.run_caracal(*arguments, stdout=full)
            self.assertEqual(done.returncode, IO, arguments)
            self.assertIn("caracal: writing standard output failed: No space left", done.stderr)

    def test_a_standard_output_that_is_closed(self):
        for arguments in ("list config", "generate --count 10 --output -"):
            done = subprocess.run(
                ["bash", "-c", f'exec "$0" {arguments} >&-', CARACAL],
                capture_output=True, text=True, check=False, timeout=60,
            )
            self.assertEqual(done.returncode, IO, done.stderr)
            self.assertIn("writing standard output failed: Bad file descriptor", done.stderr)

    def test_a_reader_that_goes_away(self):
        for arguments in ("list config", "generate --count 100000 --output -"):
            done = subprocess.run(
                ["bash", "-c", f'"$0" {arguments} | head -n 1; echo "${{PIPESTATUS[0]}}"', CARACAL],
                capture_output=True, text=True, check=False, timeout=60,
            )
            # 141: ended by SIGPIPE, as any program that knows nothing of it.
            self.assertRegex(done.stdout, r"\n(0|141)\n\Z")
            self.assertFalse(re.search("error|failed", done.stderr), done.stderr)

    @unittest.skipIf(os.geteuid() == 0, "root may read and write everything")
    def test_files_of_others(self):
        (self.folder / "caracal.yaml").chmod(0)
        self.assert_fails(["validate"], CONFIG, "cannot read 'caracal.yaml': Permission denied")
        self.folder.chmod(0o500)
        self.addCleanup(self.folder.chmod, 0o700)
        self.assert_fails(
            ["generate", "--count", "1", "--output", "x"], IO,
            "Permission denied; choose a place you may write to",
        )


if __name__ == "__main__":
    shutil.which("bash") or sys.exit("bash is missing")
    unittest.main(argv=sys.argv[:1])

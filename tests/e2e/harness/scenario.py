"""One test scenario: its topics, its members, and the comparison of what they have written with
what the oracle expects."""

import pathlib

import oracle
from harness import compare, engine
from harness.kafka import Kafka
from harness.waiting import wait_until

CONFIGS = pathlib.Path(__file__).resolve().parents[1] / "configs"


class Scenario:
    """Names everything after `name`, which must be unique in the stack: consumer group, topics of
    alerts, dead letters and state. The source topic exists already or comes with the connector."""

    def __init__(self, stack, name, config, topic, partitions, **settings):
        """config: file of configs/, or a path. settings: delivery, max_recovery, rules (name of a file
        of configs/rules); kafka = a client, where it is not that of the stack's one broker;
        bootstrap = where the members find Kafka; environment = more placeholders of the
        configuration; first_admin = number of the stack's admin port that the first member takes."""
        self.kafka = settings.get("kafka") or Kafka(stack.bootstrap)
        self.name = name
        self.topic = topic
        self.members = []
        self._stack = stack
        self._config = CONFIGS / config
        self.partitions = partitions
        self._delivery = settings.get("delivery", "exactly_once")
        self._max_recovery = settings.get("max_recovery", "10s")
        self._bootstrap = settings.get("bootstrap", stack.bootstrap)
        self._extra = settings.get("environment", {})
        self._first_admin = settings.get("first_admin", 0)
        self._rules = settings.get("rules", "cards")
        self._first_rulesets = None  # once the rules have changed
        self._activations = {}  # partition -> [(offset, rulesets)]
        self.kafka.create_topic(f"{name}.alerts", partitions)
        self.kafka.create_topic(f"{name}.dead-letters", partitions, max_message_bytes=2_000_000)
        self.kafka.create_topic(f"{name}.state", partitions, cleanup_policy="compact")

    def _environment(self, admin):
        return {
            "E2E_KAFKA": self._bootstrap,
            "E2E_NAME": self.name,
            "E2E_TOPIC": self.topic,
            "E2E_ADMIN": admin,
            "E2E_DELIVERY": self._delivery,
            "E2E_MAX_RECOVERY": self._max_recovery,
            "E2E_RULES": self._rules,
            **self._extra,
        }

    # -- members

    def add_member(self):
        """A member that has not been started."""
        port = self._stack.admin_ports[self._first_admin + len(self.members)]
        admin = f"127.0.0.1:{port}"
        log = self._stack.directory / f"{self.name}.{len(self.members)}.log"
        member = engine.Member(self._config, self._environment(admin), admin, log)
        self.members.append(member)
        return member

    def start_member(self):
        return self.add_member().start()

    def change_rules(self, rules):
        """What starts from now on has this rule file; no member may run. Each partition's activation
        is at the group's committed offset; rules that have judged nothing there leave no trace.
        Returns {partition: offset from which its rules are in effect}."""
        assert not any(member.running() for member in self.members), "members run"
        self._first_rulesets = self._first_rulesets or self.rulesets()
        self._rules = rules
        rulesets = self.rulesets()
        since = {}
        for partition, offset in self.kafka.committed_offsets(self.name, self.topic).items():
            activations = self._activations.setdefault(partition, [])
            if activations and activations[-1][0] == offset:
                activations.pop()
            before = activations[-1][1] if activations else self._first_rulesets
            if before != rulesets:
                activations.append((offset, rulesets))
            since[partition] = activations[-1][0] if activations else 0
        for member in self.members:
            member.environment["E2E_RULES"] = rules
        return since

    def stop_members(self):
        """SIGTERM to all; asserts that each drains and exits with 0."""
        codes = [member.terminate() for member in self.members if member.running()]
        assert set(codes) <= {0}, f"exit codes {codes}: {self._describe_members()}"

    def kill_members(self):
        """For tear-down: whatever still runs ends now."""
        for member in self.members:
            member.kill()

    def _describe_members(self):
        return "\n".join(member.describe() for member in self.members)

    # -- progress

    def records_in_topic(self):
        return sum(self.kafka.end_offsets(self.topic).values())

    def wait_for_records(self, count, timeout_s=60):
        """Until the source topic has exactly `count` records."""
        wait_until(
            lambda: self.records_in_topic() >= count,
            lambda: f"{self.topic} has {self.records_in_topic()} of {count} records",
            timeout_s,
        )
        actual = self.records_in_topic()
        assert actual == count, f"{self.topic} has {actual} records, expected {count}"

    def committed_offsets(self):
        """{partition: offset} of the group."""
        return self.kafka.committed_offsets(self.name, self.topic)

    def records_committed(self):
        return sum(self.committed_offsets().values())

    def wait_until_judged(self, timeout_s=120):
        """Until every record of the source topic is below the group's committed offsets."""
        wait_until(self._all_judged, self.describe_progress, timeout_s)

    def _all_judged(self):
        assert any(member.running() for member in self.members), self._describe_members()
        ends = self.kafka.end_offsets(self.topic)
        committed = self.kafka.committed_offsets(self.name, self.topic)
        return all(committed.get(partition, 0) >= end for partition, end in ends.items())

    def describe_progress(self):
        ends = self.kafka.end_offsets(self.topic)
        committed = self.kafka.committed_offsets(self.name, self.topic)
        return f"committed {committed} of {ends}\n{self._describe_members()}"

    def sum_of(self, metric):
        """Over all members."""
        return sum(member.metric(metric) for member in self.members)

    # -- verdicts

    def command(self, *arguments):
        """Runs a command of the engine with the scenario's configuration; its standard output."""
        environment = self._environment("127.0.0.1:1")
        return engine.command(*arguments, "-c", self._config, environment=environment)

    def rulesets(self):
        """The rulesets as the engine's canonical text describes them."""
        return oracle.parse_rulesets(self.rulesets_text())

    def rulesets_text(self):
        """What `caracal list rulesets --canonical` says, bytes."""
        return self.command("list", "rulesets", "--canonical")

    def check(self, **options):
        """Asserts alerts and dead letters against the oracle; returns its outcomes.

        options: see oracle.PartitionOracle.
        """
        sources = self.kafka.read(self.topic)
        outcomes = self.expect(sources, **options)
        alerts = self.read_stable(f"{self.name}.alerts")
        self.repeated_alerts = compare.check_alerts(outcomes, alerts, self.partitions)
        if self._delivery == "exactly_once":
            assert self.repeated_alerts == 0, f"{self.repeated_alerts} alerts came twice"
        dead_letters = self.read_stable(f"{self.name}.dead-letters")
        compare.check_dead_letters(outcomes, dead_letters, sources)
        return outcomes

    def count_repeated(self, outcomes):
        """Asserts the alerts against outcomes; returns how many came again, with the same bytes."""
        alerts = self.read_stable(f"{self.name}.alerts")
        return compare.check_alerts(outcomes, alerts, self.partitions)

    def expect(self, sources, **options):
        """The oracle's outcomes, with the rules as they have changed."""
        rulesets = self._first_rulesets or self.rulesets()
        return oracle.judge(sources, rulesets, activations=self._activations, **options)

    def read_stable(self, topic, partition=None):
        """All committed records, or those of one partition, once no transaction is open: that of a killed member stays open
        until the broker's clock ends it."""
        wait_until(
            lambda: self.kafka.end_offsets(topic) == self.kafka.end_offsets(topic, stable=True),
            f"a transaction in {topic} stays open",
            60,
        )
        return self.kafka.read(topic, partition)

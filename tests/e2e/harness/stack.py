"""PostgreSQL, Kafka and Connect of one test run, through the scripts of deploy/stack."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from harness.waiting import wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
SCRIPTS = REPOSITORY / "deploy" / "stack"
_PORTS = 10
DEFAULT_CACHE = REPOSITORY / ".cache" / "stack"


class StackError(AssertionError):
    """A script of the stack has failed; the message is what it said."""


class Stack:
    """One running stack in its own directory and ports, removed by stop().

    Environment: STACK_CACHE = jars (see fetch.sh), CARACAL_E2E_PORT = first of its ten ports,
    CARACAL_E2E_SLOT = that many stacks further up, so that several may run. Start and stop on one
    thread.
    """

    def __init__(self):
        self.cache = os.environ.get("STACK_CACHE", str(DEFAULT_CACHE))
        if version := os.environ.get("STACK_KAFKA_VERSION"):
            self.cache += f"-kafka-{version}"
        first_port = int(os.environ.get("CARACAL_E2E_PORT", "25600"))
        first_port += _PORTS * int(os.environ.get("CARACAL_E2E_SLOT", "0"))
        names = ("postgres", "kafka", "controller", "connect")
        self.ports = {name: first_port + i for i, name in enumerate(names)}
        self.admin_ports = range(first_port + len(names), first_port + _PORTS)
        self.directory = None
        self.extra_kafka = ""  # lines for the broker's properties; set before start()
        self.cluster_id = ""  # of a cluster of several brokers, likewise
        self._started = False

    @property
    def bootstrap(self):
        return f"127.0.0.1:{self.ports['kafka']}"

    def start(self, *components):
        """components: start only these (kafka, connect, postgres)."""
        # The user postgres must be able to enter it: not a private directory of root.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="caracal-e2e-"))
        self.directory.chmod(0o755)
        self._script("fetch.sh", self.cache)
        self._started = True
        (self.directory / "kafka.extra").write_text(self.extra_kafka)
        self._script("up.sh", self.directory / "stack", *components)
        return self

    def restart(self, *components):
        """Starts again what has been stopped, on the data that there is."""
        self._script("up.sh", self.directory / "stack", *components)

    def stop_all(self):
        """Stops everything in good order and keeps the data."""
        self._script("down.sh", self.directory / "stack")

    def kill(self, component):
        """SIGKILL to one component; its data stay as they are."""
        pid = int((self.directory / "stack" / f"{component}.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        # Its threads end one by one, and its sockets with the last.
        wait_until(
            lambda: not _alive(pid) and not _accepts(self.ports[component]),
            f"{component} is still there after SIGKILL",
        )

    def stop(self):
        """Stops what runs and removes the data; keeps the directory if CARACAL_E2E_KEEP is set."""
        if self._started:
            keep = [] if os.environ.get("CARACAL_E2E_KEEP") else ["--purge"]
            self._script("down.sh", self.directory / "stack", *keep)
            self._started = False
        if self.directory and not os.environ.get("CARACAL_E2E_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    def create_database(self, name, replica_identity="FULL"):
        self._script("database.sh", self.directory / "stack", name, replica_identity)

    def create_connector(self, template, name, **values):
        """Starts the connector and returns when its task runs. template: a file of connectors/."""
        assignments = [f"{key}={value}" for key, value in values.items()]
        path = SCRIPTS / "connectors" / template
        self._script("connector.sh", self.directory / "stack", path, name, *assignments)

    def psql(self, database, sql, user="app"):
        """Runs SQL as one transaction; returns the output's lines, columns separated by '|'."""
        program = ["psql", "--quiet", "--no-psqlrc", "--tuples-only", "--no-align"]
        program += ["--set=ON_ERROR_STOP=1", "--single-transaction", "--host=127.0.0.1"]
        program += [f"--port={self.ports['postgres']}", f"--username={user}", database]
        done = subprocess.run(
            program,
            input=sql,
            env={**os.environ, "PGPASSWORD": user},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode != 0:
            raise StackError(f"psql: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def _script(self, name, *arguments):
        settings = {f"STACK_{key.upper()}_PORT": str(port) for key, port in self.ports.items()}
        done = subprocess.run(
            [str(SCRIPTS / name), *map(str, arguments)],
            env={
                **os.environ,
                **settings,
                "STACK_CACHE": self.cache,
                "STACK_KAFKA_EXTRA": str(self.directory / "kafka.extra"),
                "STACK_CLUSTER_ID": self.cluster_id,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        if done.returncode != 0:
            raise StackError(f"{name}: {done.stderr.strip()}")


def _alive(pid):
    """Whether the process runs; one that nobody has waited for yet does not."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _accepts(port):
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0

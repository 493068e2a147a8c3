"""Members of the engine: processes of `caracal run`."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request

from harness.waiting import wait_until

START_SECONDS = 60
STOP_SECONDS = 30


def binary():
    """Path of the caracal binary, or None."""
    path = os.environ.get("CARACAL_BINARY")
    return path if path and os.access(path, os.X_OK) else None


def attempt(*arguments, environment=None):
    """Runs a command of the binary to its end, whatever comes of it; the finished process, its
    output as bytes."""
    return subprocess.run(
        [binary(), *map(str, arguments)],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )


def command(*arguments, environment=None):
    """Runs a command of the binary to its end; returns its standard output as bytes."""
    done = attempt(*arguments, environment=environment)
    if done.returncode != 0:
        text = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise AssertionError(f"caracal {arguments[0]} exits {done.returncode}: {text}")
    return done.stdout


class Member:
    """One `caracal run -c FILE`. A member that has ended can be started again.

    environment: fills the placeholders of the configuration, among them the admin address. What it
    prints goes to `log`, which every failure quotes.
    """

    def __init__(self, config, environment, admin, log):
        self._config = config
        self.environment = environment
        self.admin = admin
        self._log = log
        self._process = None

    def start(self, **environment):
        """environment: variables for this process alone."""
        assert not self.running(), "the member runs already"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [binary(), "run", "-c", str(self._config)],
                env={**os.environ, **self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def running(self):
        return self._process is not None and self._process.poll() is None

    def exit_code(self):
        """None while it runs; negative: the signal that has ended it."""
        return self._process.poll()

    def frozen(self):
        """Whether a signal has made it stand still."""
        try:
            with open(f"/proc/{self._process.pid}/stat", encoding="utf-8") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "T"
        except (FileNotFoundError, ProcessLookupError):
            return False

    def freeze(self):
        """SIGSTOP: it stands still, its connections stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """SIGCONT: a member that stands still goes on."""
        self._process.send_signal(signal.SIGCONT)

    def rss_mib(self):
        """Resident memory; 0 when it does not run."""
        try:
            with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
                return next(int(x.split()[1]) for x in status if x.startswith("VmRSS")) / 1024
        except (FileNotFoundError, ProcessLookupError, StopIteration):
            return 0

    def cpu_s(self):
        """Seconds that processors have worked for it; it must run."""
        with open(f"/proc/{self._process.pid}/stat", encoding="utf-8") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def wait_ready(self):
        """Until /readyz says 200."""
        wait_until(self._ready, self.describe, START_SECONDS)
        return self

    def _ready(self):
        assert self.running(), f"the member has ended: {self.describe()}"
        return self._get("/readyz") is not None

    def wait_log(self, text):
        """Until its log holds `text`; the lines that do, oldest first. The member may have ended."""
        return wait_until(lambda: self.log_lines(text), self.describe, START_SECONDS)

    def log_lines(self, text):
        """The lines of its log that hold `text`."""
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return [line for line in log if text in line]

    def wait_end(self):
        """Until it ends by itself; the exit code."""
        wait_until(lambda: not self.running(), self.describe, START_SECONDS)
        return self._process.returncode

    def text(self, path):
        """What the admin listener answers; an error when it does not."""
        answer = self._get(path)
        assert answer is not None, f"no answer to {path}: {self.describe()}"
        return answer

    def status(self):
        """/status; without partitions while the member does not answer."""
        text = self._get("/status")
        return {"partitions": []} if text is None else json.loads(text)

    def metrics(self):
        """{metric with labels as printed: value}; empty while the member does not answer."""
        text = self._get("/metrics")
        if text is None:
            return {}
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and line[0] != "#")
        return {name: float(value) for name, value in lines}

    def metric(self, name):
        """Sum of a metric over all its labels."""
        return sum(
            value for key, value in self.metrics().items() if key.partition("{")[0] == name
        )

    def send_signal(self, number):
        """Sends it and goes on."""
        self._process.send_signal(number)

    def kill(self):
        """SIGKILL; returns when the process is gone."""
        self._end(signal.SIGKILL)

    def terminate(self):
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number):
        if self._process is None:
            return None
        if self.running():
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(
                f"the member does not end within {STOP_SECONDS} s of signal {number}: "
                f"{self.describe()}"
            ) from None

    def describe(self):
        """Its state and the end of its log, for failure messages."""
        state = "not started"
        if self._process is not None:
            state = "running" if self.running() else f"exit code {self._process.returncode}"
        try:
            with open(self._log, encoding="utf-8", errors="replace") as log:
                tail = "".join(log.readlines()[-15:])
        except FileNotFoundError:
            tail = ""
        return f"member {state}, end of {self._log}:\n{tail}"

    def _get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None

#!/usr/bin/env python3
"""The scripts inside the containers against scripted servers: register.sh when all is well, when
Connect is busy, when the file is refused, when the task fails; ready.sh for each answer an engine
may give. Exit code 77 (ctest: skipped) without curl."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
REGISTER = DEPLOY / "compose" / "connect" / "register.sh"
CONFIG = DEPLOY / "compose" / "connect" / "bank.json"
READY = DEPLOY / "docker" / "ready.sh"
RUNNING = {"tasks": [{"id": 0, "state": "RUNNING"}]}
FAILED = {"tasks": [{"id": 0, "state": "FAILED", "trace": "no such slot"}]}


def status(task):
    return 200, {"name": "bank", "connector": {"state": "RUNNING"}, **task}


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers requests with the answers its server was given, in order, the last one for ever."""

    def answer(self):
        length = int(self.headers.get("content-length", 0))
        self.server.requests.append((self.command, self.path, self.rfile.read(length)))
        answers = self.server.answers[self.command]
        code, body = answers[0] if len(answers) == 1 else answers.pop(0)
        data = json.dumps(body, separators=(",", ":")).encode()
        self.send_response(code)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = answer  # noqa: N815  (the names http.server calls)

    def log_message(self, *_):
        """Silence: the requests are recorded."""


@contextlib.contextmanager
def scripted_server(answers):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted) as server:
        server.answers, server.requests = answers, []
        server.handle_error = lambda *_: None  # a client that has read enough hangs up
        server.address = f"127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def run_script(*command, **environment):
    return subprocess.run(["bash", *command], env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=60, check=False)


class RegisterTest(unittest.TestCase):
    def register(self, seconds=30, **answers):
        """Runs register.sh; keeps the requests that were made in `requests`."""
        with scripted_server({"POST": [(202, {})], **answers}) as server:
            run = run_script(REGISTER, f"http://{server.address}", "bank", CONFIG,
                             REGISTER_SECONDS=str(seconds), REGISTER_PAUSE="0.01")
            self.requests = server.requests
        return run

    def test_puts_the_file_and_waits_for_the_task(self):
        run = self.register(PUT=[(201, {})], GET=[(404, {}), status({"tasks": []}),
                                                  status(RUNNING)])
        self.assertEqual(0, run.returncode, run.stderr)
        method, path, body = self.requests[0]
        self.assertEqual(("PUT", "/connectors/bank/config"), (method, path))
        self.assertEqual(json.loads(CONFIG.read_text(encoding="utf-8")), json.loads(body))
        self.assertEqual(4, len(self.requests))

    def test_the_same_connector_again_is_fine(self):
        self.assertEqual(0, self.register(PUT=[(200, {})], GET=[status(RUNNING)]).returncode)

    def test_tries_again_while_connect_is_busy(self):
        run = self.register(PUT=[(503, {}), (409, {}), (200, {})], GET=[status(RUNNING)])
        self.assertEqual(0, run.returncode, run.stderr)

    def test_a_refused_file_is_an_error_at_once(self):
        run = self.register(PUT=[(400, {"message": "topic.prefix is required"})], GET=[])
        self.assertEqual(1, run.returncode)
        self.assertIn("topic.prefix is required", run.stderr)

    def test_restarts_a_failed_task(self):
        run = self.register(PUT=[(200, {})], GET=[status(FAILED), status(RUNNING)])
        self.assertEqual(0, run.returncode, run.stderr)
        self.assertIn("no such slot", run.stderr)
        self.assertEqual("/connectors/bank/restart?includeTasks=true&onlyFailed=true",
                         self.requests[2][1])

    def test_gives_up_in_the_end(self):
        run = self.register(seconds=0, PUT=[(200, {})], GET=[status(FAILED)])
        self.assertEqual(1, run.returncode)
        self.assertIn("the task does not run", run.stderr)


class ReadyTest(unittest.TestCase):
    def ready(self, code):
        with scripted_server({"GET": [(code, {})]}) as server:
            run = run_script(READY, server.address)
            self.assertEqual([("GET", "/readyz", b"")], server.requests)
        return run.returncode

    def test_ready_is_success_and_anything_else_is_not(self):
        self.assertEqual(0, self.ready(200))
        self.assertEqual(1, self.ready(503))

    def test_nobody_there_is_not_ready(self):
        with scripted_server({}) as server:
            address = server.address
        self.assertEqual(1, run_script(READY, address).returncode)


if __name__ == "__main__":
    if not shutil.which("curl"):
        print("skipped: curl is not installed (./dev test installs it)")
        sys.exit(77)
    unittest.main()

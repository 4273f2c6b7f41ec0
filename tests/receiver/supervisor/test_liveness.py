"""A real run whose workers stop handling hooks: it reports that, and still accepts hooks."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.receiver.supervisor.running_installation import processes_of, run_installation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with run_installation(tmp_path_factory.mktemp("run") / "data", CRATEWIRE_HEARTBEAT_SECONDS="1") as run:
        run.until_said(r"Ready: ")
        run.until(lambda: asked(run, "/readyz")[1]["last_heartbeat_seconds"] is not None)
        yield run


@pytest.fixture
def asleep(run):
    """All workers are stopped with SIGSTOP, and continue at the end."""
    workers = [pid for pid, command in processes_of(run.data).items() if "cw worker" in command]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    run.until(lambda: asked(run, "/readyz")[0] == 503)
    yield run
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
    run.until(lambda: asked(run, "/readyz")[0] == 200)


def asked(run, path):
    connection = http.client.HTTPConnection("127.0.0.1", run.port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def status(run, *options):
    command = [sys.executable, "-m", "receiver.cli", "status", "--json", *options]
    return subprocess.run(command, env=run.environment, capture_output=True, text=True, check=False)


def test_while_heartbeats_arrive_all_is_well(run):
    run.until(lambda: status(run, "--check").returncode == 0)

    assert json.loads(status(run).stdout)["chain"]["alive"]
    assert json.loads(status(run).stdout)["events"]["total"] == 0


def test_a_stopped_chain_is_reported_and_hooks_are_still_stored(asleep):
    code, ready = asked(asleep, "/readyz")
    checked = status(asleep, "--check")

    assert (code, ready["chain"], ready["hooks"]) == (503, False, True)
    assert asked(asleep, "/readyz/hooks")[0] == 200
    assert (checked.returncode, json.loads(checked.stdout)["chain"]["alive"]) == (1, False)
    assert status(asleep).returncode == 0

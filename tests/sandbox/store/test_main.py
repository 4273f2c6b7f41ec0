"""The store as a process of its own."""

import http.client
import json
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def process():
    command = [sys.executable, "-m", "sandbox.store", "--seed", "3", "--client-id", "a", "--client-secret", "b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_when_asked(process, number):
    said = json.loads(process.stdout.readline())
    connection = http.client.HTTPConnection(urlsplit(said["url"]).netloc, timeout=20)
    connection.request("GET", "/_sandbox/life")
    answer = connection.getresponse()
    assert (answer.status, answer.version, said["client_id"]) == (200, 11, "a")
    connection.close()

    process.send_signal(number)

    assert process.wait(timeout=20) == 0

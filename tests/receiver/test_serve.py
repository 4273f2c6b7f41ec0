"""The real web process: granian, the hook server, the writer, a real Valkey; killed and stopped.

Alone below granian's main process, as the Procfile has it, or as `cratewire run` starts it, in one process.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from redis import Redis

from pipeline.infra import redis_keys
from pipeline.infra.crypto import hook_tokens
from pipeline.settings import read_environment
from receiver.serve import main
from tests.pipeline.inbox.own_valkey import OwnValkey
from tests.servers.process import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

SECRET = "a key for the tests only"
WAYS = ((), ("--one-process",))
WAY_NAMES = ("below granian's main process", "in one process")
HOOK = f"/hooks/acme/{hook_tokens.sign([SECRET], 'acme', 1)}/order_new"


class Web:
    """A web process with its own process group, so that all of it can be killed at once."""

    def __init__(self, redis_url: str, data: Path, *options: str) -> None:
        self.port, self._options = free_port(), options
        self._environ = read_environment(None) | {
            "REDIS_URL": redis_url,
            "CRATEWIRE_DATA_DIR": str(data),
            "CRATEWIRE_SECRET_KEY": SECRET,
            "CRATEWIRE_HEARTBEAT_SECONDS": "0",  # the tests read the whole inbox
            "CRATEWIRE_REDIS_TIMEOUT": "2",  # and a busy machine must not make web write a hook twice
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "receiver.serve", "--port", str(self.port), *self._options]
        self._process = subprocess.Popen(
            command, env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        wait_until(self.ready)

    def kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):  # it may have been stopped
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def ready(self) -> bool:
        try:
            return self.send("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def send(self, method: str, path: str, body: bytes | None = None, headers=None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def post(self, number: int) -> str:
        """Send a hook with this number; return its receipt."""
        status, body = self.send("POST", HOOK, json.dumps({"id": number}).encode())
        assert status == 200
        return str(json.loads(body)["receipt"])


@contextlib.contextmanager
def started_valkey(folder: Path) -> Iterator[OwnValkey]:
    own = OwnValkey(folder / "valkey")
    own.start()
    yield own
    own.stop()


@contextlib.contextmanager
def started_web(server: OwnValkey, folder: Path, *options: str) -> Iterator[Web]:
    process = Web(server.url, folder / "data", *options)
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    with started_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module", params=WAYS, ids=WAY_NAMES)
def web(shared_server, tmp_path_factory, request):
    """One web process for the tests that leave it as it is."""
    with started_web(shared_server, tmp_path_factory.mktemp("web"), *request.param) as web:
        yield web


@pytest.fixture
def server(shared_server):
    """The Valkey of `web`, with an empty inbox."""
    with Redis.from_url(shared_server.url) as redis:
        redis.xtrim(redis_keys.INBOX, maxlen=0, approximate=False)
    return shared_server


@pytest.fixture
def own_server(tmp_path):
    """A Valkey that the test may kill."""
    with started_valkey(tmp_path) as server:
        yield server


@pytest.fixture(params=WAYS, ids=WAY_NAMES)
def own_web(own_server, tmp_path, request):
    """A web process that the test may kill."""
    with started_web(own_server, tmp_path, *request.param) as web:
        yield web


def inbox(server) -> list[dict[bytes, bytes]]:
    with Redis.from_url(server.url) as redis:
        return [fields for _, fields in redis.xrange(redis_keys.INBOX)]


def receipts(server) -> list[str]:
    """In the order of the inbox; a duplicate counts where it came first."""
    return list(dict.fromkeys(fields[b"r"].decode() for fields in inbox(server)))


def test_hooks_lie_in_the_inbox_when_they_are_acknowledged(web, server):
    given = [web.post(number) for number in range(20)]

    assert receipts(server) == given
    assert [json.loads(fields[b"b"])["id"] for fields in inbox(server)] == list(range(20))


def test_acknowledged_hooks_outlive_web_and_redis_killed_together(own_web, own_server):
    given = [own_web.post(number) for number in range(10)]
    own_server.kill()
    given += [own_web.post(number) for number in range(10, 20)]
    own_web.kill()
    own_server.start()
    own_web.start()
    given.append(own_web.post(20))
    wait_until(
        lambda: json.loads(own_web.send("GET", "/readyz")[1])["spooled"] == 0 and len(receipts(own_server)) >= 21
    )

    assert receipts(own_server) == given


def test_without_redis_it_starts_acknowledges_and_is_ready(own_server, tmp_path):
    own_server.kill()
    web = Web(own_server.url, tmp_path / "data")
    web.start()
    receipt = web.post(1)
    state = json.loads(web.send("GET", "/readyz")[1])
    web.kill()

    assert len(receipt) == 32
    assert (state["redis"], state["ready"]) == (False, True)


def test_a_chunked_body_is_taken_whole_and_a_large_one_refused(web, server):
    chunked = {"Transfer-Encoding": "chunked"}
    status, _ = web.send("POST", HOOK, b"6\r\nchunk \r\n6\r\nby all\r\n0\r\n\r\n", chunked)

    assert (status, inbox(server)[0][b"b"]) == (200, b"chunk by all")
    too_large = b"".join(b"80000\r\n" + b"x" * 0x80000 + b"\r\n" for _ in range(11)) + b"0\r\n\r\n"
    assert refused(web, too_large) == 413


def test_a_packed_body_lies_unpacked_in_the_inbox(web, server):
    packed = gzip.compress(b'{"id": 1}')

    assert web.send("POST", HOOK, packed, {"Content-Encoding": "gzip"})[0] == 200
    assert web.send("POST", HOOK, packed, {"Content-Encoding": "br"})[0] == 415
    assert [fields[b"b"] for fields in inbox(server)] == [b'{"id": 1}']


def refused(web: Web, chunks: bytes) -> int:
    """The status of an answer that may come before everything is sent."""
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        head = f"POST {HOOK} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
        with contextlib.suppress(OSError):
            connection.sendall(head.encode() + chunks)
        return int(connection.recv(100).split()[1])


def test_a_body_that_ends_too_early_is_refused(web, server):
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        connection.sendall(f"POST {HOOK} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf".encode())
        connection.shutdown(socket.SHUT_WR)
        status = int(connection.recv(100).split()[1])

    assert (status, inbox(server)) == (400, [])


def test_a_client_that_hangs_up_halfway_leaves_nothing(web, server):
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as connection:
        connection.sendall(f"POST {HOOK} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf".encode())
    given = web.post(1)

    assert receipts(server) == [given]


def test_a_path_is_decoded_as_flask_would(web, server):
    given = json.loads(web.send("POST", HOOK.replace("acme", "%61cme"), b"{}")[1])["receipt"]

    assert receipts(server) == [given]
    assert web.send("POST", HOOK.replace("acme", "ac%2Fme"), b"{}")[0] == 404


def test_a_stopped_web_process_ends_and_lets_go_of_its_spool(own_web, own_server, tmp_path):
    own_server.kill()
    own_web.post(1)

    assert own_web.stop() == 0
    assert not (tmp_path / "data" / "spool" / "0" / "hooks.db-wal").exists()


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_an_address_that_cannot_be_had_is_named_with_what_is_wrong(host, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = CliRunner(env={"CRATEWIRE_DATA_DIR": str(tmp_path), "REDIS_URL": "redis://127.0.0.1:1/0"}).invoke(
            main, ["--host", host, "--port", str(port)]
        )

    assert result.exit_code == 1
    assert f"web cannot listen on {host}, port {port} (" in result.stderr

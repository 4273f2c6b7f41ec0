"""Start processes in their own folder, wait until they respond, and end them."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from pipeline.infra.embedded_valkey import find_free_port
from pipeline.settings import read_environment

START_TIMEOUT_S = 120.0  # seconds anything may take to come up
STOP_TIMEOUT_S = 40.0
_POLL_INTERVAL_S = 0.05
_INSTALLATION_VARIABLES = ("REDIS_URL", "DATABASE_URL", "PORT", "CRATEWIRE_")  # what configures another installation


def clean_environment() -> dict[str, str]:
    """Our environment without the settings of an installation; the other sides are on loopback."""
    ours = {
        name: value for name, value in read_environment(None).items() if not name.startswith(_INSTALLATION_VARIABLES)
    }
    return ours | {"CRATEWIRE_CONNECT_ANYWHERE": "true"}


@dataclass
class Folder:
    """Where processes keep their files and logs."""

    path: Path
    environment: dict[str, str] = field(default_factory=clean_environment)

    @contextmanager
    def running(
        self, name: str, command: Sequence[str], **more: str
    ) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
        """A process, and what it has printed."""
        self.path.mkdir(parents=True, exist_ok=True)
        log = self.path / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(command), env=self.environment | more, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            yield process, lambda: log.read_text(encoding="utf-8", errors="replace")
        finally:
            _end(process)


@contextmanager
def installation_folder(**more: str) -> Iterator[Folder]:
    """A folder for `cratewire run`, with ports of its own."""
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as place:
        folder = Folder(Path(place))
        folder.environment |= {
            "CRATEWIRE_DATA_DIR": f"{place}/data",
            "PORT": str(find_free_port()),
            "CRATEWIRE_FLOWER_PORT": str(find_free_port()),
            "PYTHONUNBUFFERED": "1",
            **more,
        }
        yield folder


def wait_until(what: str, holds: Callable[[], Any], process: subprocess.Popen[bytes], said: Callable[[], str]) -> Any:
    """Wait for a true answer of a process that lives."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (answer := holds()):
        if process.poll() is not None or time.monotonic() > deadline:
            raise click.ClickException(f"{what} did not start:\n{said()[-2000:]}")
        time.sleep(_POLL_INTERVAL_S)
    return answer


def is_answering(port: int) -> bool:
    """Whether a web server responds, with any status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def request_json(url: str, body: Mapping[str, Any] | None = None) -> Any:
    """GET or POST JSON on loopback."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=120)
    try:
        payload = None if body is None else json.dumps(body)
        path = f"{place.path}?{place.query}" if place.query else place.path
        connection.request("GET" if body is None else "POST", path, payload)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

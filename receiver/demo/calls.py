"""Calls of the demo: to its sandboxes over HTTP, and to commands as a person types them."""

from __future__ import annotations

import json
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from pipeline.core.errors import CratewireError
from pipeline.infra.http.basic_auth import build_basic_auth
from receiver.demo.processes import DemoProcesses

POLL_INTERVAL_S = 0.25
STALL_TIMEOUT_S = 120  # the demo fails after this time without progress
_REQUEST_TIMEOUT_S = 60
_MIN_ERROR_STATUS = 400


def call_sandbox(url: str, body: Any = None, *, user: tuple[str, str] | None = None) -> Any:
    """Send a GET, or a POST if there is a body. Raises CratewireError unless the answer is a success."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_REQUEST_TIMEOUT_S)
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if user is not None:
        headers["Authorization"] = build_basic_auth(*user)
    payload = None if body is None else json.dumps(body)
    try:
        connection.request("GET" if body is None else "POST", place.path, payload, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status >= _MIN_ERROR_STATUS:
            raise CratewireError(f"{place.path} answered {response.status}")
        return json.loads(text) if text.strip() else None
    except OSError as error:
        raise CratewireError(f"{place.path} could not be reached: {type(error).__name__}") from error
    finally:
        connection.close()


def run_json_command(processes: DemoProcesses, *command: str, may_fail: bool = False) -> Any:
    """Run a command that prints JSON. Raises CratewireError with the end of what it says if it fails."""
    done = processes.run_module(*command)
    if done.returncode and not (may_fail and done.stdout.strip()):
        raise CratewireError(f"{' '.join(command[:2])} failed:\n{done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


class StallDetector:
    """Raises an error when there is no progress for too long."""

    def __init__(self) -> None:
        self._last: Any = None
        self._since = time.monotonic()

    def observe(self, state: Any) -> None:
        """Record a state. Raises CratewireError if it has not changed for too long."""
        if state != self._last:
            self._last, self._since = state, time.monotonic()
        elif time.monotonic() - self._since > STALL_TIMEOUT_S:
            raise CratewireError(f"no progress for {STALL_TIMEOUT_S} s: see the logs, or run with --keep")

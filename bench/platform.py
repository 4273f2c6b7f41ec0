"""The platform every contender delivers to: the sandbox Customer.io, 20 ms away."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from bench.processes import Folder, request_json, wait_until

LATENCY_MS = 20
_POLL_INTERVAL_S = 0.1
_STALL_TIMEOUT_S = 120.0  # seconds without any progress


@dataclass(frozen=True, slots=True)
class Platform:
    """Where it is, and how to get in."""

    url: str
    site_id: str
    api_key: str
    pid: int

    @property
    def events(self) -> int:
        """How many events it has."""
        stats = request_json(f"{self.url}/_sandbox/stats")
        return sum(int(workspace["events"]) for workspace in stats["workspaces"].values())

    def forget(self) -> None:
        """Reset the sandbox."""
        request_json(f"{self.url}/_sandbox/reset", {})
        request_json(f"{self.url}/_sandbox/switches", {"latency_ms": LATENCY_MS})

    def people(self) -> list[dict[str, Any]]:
        """All people with their events."""
        people: list[dict[str, Any]] = request_json(f"{self.url}/_sandbox/people")
        return people

    def wait_for(self, events: int) -> float:
        """The time (monotonic) at which it had that many events. More than that is a fault of the contender."""
        seen, since = -1, time.monotonic()
        while (now := self.events) < events:
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > _STALL_TIMEOUT_S:
                raise click.ClickException(f"the platform has {now} of {events} events and gets no more")
            time.sleep(_POLL_INTERVAL_S)
        if now > events:
            raise click.ClickException(f"the platform has {now} events, not {events}")
        return time.monotonic()


@contextmanager
def start_platform(folder: Folder) -> Iterator[Platform]:
    """Run a private sandbox."""
    command = [sys.executable, "-m", "sandbox.customerio", "--latency-ms", str(LATENCY_MS)]
    with folder.running("customerio", command) as (process, said):
        wait_until("the sandbox", lambda: "\n" in said(), process, said)
        where = json.loads(said().splitlines()[0])
        yield Platform(where["url"], where["site_id"], where["api_key"], process.pid)

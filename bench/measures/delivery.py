"""Hooks per second from the first POST until the platform has them all, and the CPU each of them cost."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.hooks import Hook, count_messages
from bench.load import post, send_requests
from bench.machine import cpu_seconds
from bench.platform import Platform, start_platform
from bench.processes import Folder
from bench.systems import StartSystem, SystemUnderTest

CONNECTIONS = 16
WARM_UP = 100  # hooks before anything is measured: imports, connections, statements


@dataclass(frozen=True, slots=True)
class DeliveryRound:
    """The figures of a round."""

    hooks: int
    per_second: float
    cpu_ms: float  # per hook, all processes of the contender
    accepted_per_second: float
    vendor_ms: float  # CPU of the platform per hook: the same machine bears it

    def as_json(self) -> dict[str, Any]:
        return {name: round(getattr(self, name), 3) for name in self.__slots__}


def measure(start: StartSystem, hooks: Sequence[Hook], rounds: int) -> list[DeliveryRound]:
    """The rounds of a system, each with its own hooks."""
    share = len(hooks) // rounds
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home:
        folder = Folder(Path(home))
        with start_platform(folder) as platform, start(folder, platform) as contender:
            _deliver(contender, platform, hooks[:WARM_UP])
            parts = [hooks[WARM_UP:][place * share : (place + 1) * share] for place in range(rounds)]
            return [_deliver(contender, platform, part) for part in parts]


def _deliver(contender: SystemUnderTest, platform: Platform, hooks: Sequence[Hook]) -> DeliveryRound:
    platform.forget()
    requests = [post(contender.paths(hook.event), hook.body) for hook in hooks]
    before, vendor_before = cpu_seconds(contender.roots), cpu_seconds([platform.pid])
    began = time.monotonic()
    sent = send_requests(contender.port, requests, CONNECTIONS)
    if sent.failures:
        raise RuntimeError(f"{sent.failures} of {len(hooks)} hooks were refused")
    took = platform.wait_for(count_messages(hooks)) - began
    used, vendor_used = cpu_seconds(contender.roots) - before, cpu_seconds([platform.pid]) - vendor_before
    count = len(hooks)
    return DeliveryRound(count, count / took, used * 1_000 / count, sent.rate, vendor_used * 1_000 / count)


def median_of(rounds: Sequence[DeliveryRound], name: str) -> float:
    """The median of a figure."""
    return float(statistics.median(getattr(figures, name) for figures in rounds))

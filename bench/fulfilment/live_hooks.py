"""Live hooks at a steady rate: how long each acknowledgement takes, and how long until the platform has the event."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench import cratejoy_objects
from bench.backfill.installation import Installation
from bench.fulfilment.scenario import Scenario
from bench.hooks import make_order_hook
from bench.load import post, send_requests

PEOPLE = 40  # of the hooks; the platform has their profiles
CONNECTIONS = 16
_FIRST = 5_000_000  # numbers of live objects, far from the store's own
_US_PER_S = 1_000_000


@dataclass
class LiveHooks:
    """Sends hooks. Each turn has a name; `due` and `waits`: order id -> when it was due (epoch), and ms by turn."""

    made: Installation
    paths: Mapping[str, str]
    script: Scenario
    number: int = _FIRST
    due: dict[str, dict[int, float]] = field(default_factory=dict)
    waits: dict[str, list[float]] = field(default_factory=dict)
    refused: int = 0

    def warm_up(self) -> None:
        """Create the people's profiles, as they exist for most hooks."""
        self._send("", PEOPLE)
        self.made.platform.wait_for(PEOPLE)

    def send(self, turn: str) -> None:
        """A turn of hooks; returns when the platform has them."""
        before = self.made.platform.events
        count = self.script.hooks_per_second * self.script.turn_s
        self._send(turn, count)
        self.made.platform.wait_for(before + count)

    def _send(self, turn: str, count: int) -> None:
        numbers = range(self.number, self.number + count)
        self.number += count
        hooks = [make_order_hook(number, _FIRST + number % PEOPLE) for number in numbers]
        rate, began = self.script.hooks_per_second, time.time()
        sent = send_requests(
            self.made.port, [post(self.paths[hook.event], hook.body) for hook in hooks], CONNECTIONS, rate=rate
        )
        self.refused += sent.failures
        due = self.due.setdefault(turn, {})
        due |= {cratejoy_objects.make_id("order", number): began + at / rate for at, number in enumerate(numbers)}
        self.waits.setdefault(turn, []).extend(1_000 * wait for wait in sent.waits)


def compare(live: LiveHooks) -> dict[str, Any]:
    """Medians and p99, in ms, of the turns without boxes and of those beside them, and their ratios."""
    events = (event for person in live.made.platform.people() for event in person["events"])
    received = {event["data"]["subject_id"]: event["received_at"] / _US_PER_S for event in events}
    found: dict[str, Any] = {"hooks": sum(map(len, live.due.values())) - PEOPLE, "refused": live.refused}
    for turn in ("without", "beside"):
        delays = [1_000 * (received[order] - at) for order, at in live.due[turn].items()]
        for name, values in (("acknowledge", live.waits[turn]), ("platform", delays)):
            found[f"{name}_{turn}_ms"] = [_percentile(values, 0.5), _percentile(values, 0.99)]
    for name in ("acknowledge", "platform"):
        (p50, p99), (p50_beside, p99_beside) = found[f"{name}_without_ms"], found[f"{name}_beside_ms"]
        found[f"{name}_ratio"] = [round(p50_beside / p50, 2), round(p99_beside / p99, 2)]
    return found


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[int(share * (len(ordered) - 1))], 1)

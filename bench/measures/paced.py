"""How long an acknowledgement takes at a given rate, with everything behind it at work on the same machine."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import systems
from bench.hooks import count_messages, make_hooks
from bench.load import Outcome, post, send_requests
from bench.platform import Platform, start_platform
from bench.processes import Folder
from bench.systems import SystemUnderTest

CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """So many hooks a second, for so long."""

    per_second: int
    seconds: int


def measure(paces: list[Pace]) -> list[dict[str, Any]]:
    """Each pace: the bare view alone, then the whole of ours, which then has to deliver all it took."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        with systems.bare(Folder(home / "bare")) as bare:
            alone = [_run(bare, pace, first=0)[0] for pace in paces]
        platform = stack.enter_context(start_platform(Folder(home / "platform")))
        ours = stack.enter_context(systems.ours(Folder(home / "ours"), platform))
        first, rows = 1_000_000, []
        for pace, one in zip(paces, alone, strict=True):
            outcome, delivered = _run(ours, pace, first, platform)
            rows.append({**_row(pace, one, outcome), "delivered": delivered})
            first += pace.per_second * pace.seconds + 1_000
        return rows


def _run(contender: SystemUnderTest, pace: Pace, first: int, platform: Platform | None = None) -> tuple[Outcome, int]:
    hooks = make_hooks(pace.per_second * pace.seconds, first=first)
    before = platform.events if platform else 0
    requests = [post(contender.paths(hook.event), hook.body) for hook in hooks]
    outcome = send_requests(contender.port, requests, CONNECTIONS, rate=pace.per_second)
    if platform is None:
        return outcome, 0
    platform.wait_for(before + count_messages(hooks))
    return outcome, count_messages(hooks)


def _row(pace: Pace, bare: Outcome, ours: Outcome) -> dict[str, Any]:
    return {
        "per_second": pace.per_second,
        "seconds": pace.seconds,
        "bare_p50_ms": round(bare.wait(0.5), 2),
        "bare_p99_ms": round(bare.wait(0.99), 2),
        "ours_p50_ms": round(ours.wait(0.5), 2),
        "ours_p99_ms": round(ours.wait(0.99), 2),
        "ratio_p99": round(ours.wait(0.99) / bare.wait(0.99), 2),
        "refused": ours.failures,
        "answered_per_second": round(ours.rate),
    }

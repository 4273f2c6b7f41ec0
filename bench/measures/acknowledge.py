"""Durable acknowledgements per second against a Flask view that does nothing: as many as go, nothing else running.

Rounds alternate, so that whatever else this machine does meets both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

from redis import Redis

from bench import contenders
from bench.contenders import Contender
from bench.hooks import hooks
from bench.load import Outcome, drive, post
from bench.running import Folder
from pipeline import keys

CONNECTIONS = 16
WARM_UP = 1.0  # seconds
_DIFFERENT = 200  # bodies


def measure(rounds: int, seconds: float) -> dict[str, list[Outcome]]:
    """By contender: "bare", "always", "everysec"."""
    found: dict[str, list[Outcome]] = {"bare": [], "always": [], "everysec": []}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        bare = stack.enter_context(contenders.bare(Folder(home / "bare")))
        web = stack.enter_context(contenders.web(Folder(home / "ours")))
        for _ in range(rounds):
            found["bare"].append(_round(bare, seconds))
            for fsync in ("always", "everysec"):
                with Redis.from_url(str(web.redis_url)) as redis:
                    redis.config_set("appendfsync", fsync)
                    found[fsync].append(_round(web, seconds))
                    redis.delete(keys.INBOX)
    return found


def summary(found: dict[str, list[Outcome]]) -> dict[str, Any]:
    """Per second, p50 and p99 in ms, and the ratio to the bare view round by round."""
    told: dict[str, Any] = {}
    for name, outcomes in found.items():
        told[name] = {
            "per_second": [round(one.rate) for one in outcomes],
            "p50_ms": [round(one.wait(0.5), 2) for one in outcomes],
            "p99_ms": [round(one.wait(0.99), 2) for one in outcomes],
            "failures": sum(one.failures for one in outcomes),
            "ratio": [round(one.rate / bare.rate, 2) for one, bare in zip(outcomes, found["bare"], strict=True)],
        }
    return told


def _round(contender: Contender, seconds: float) -> Outcome:
    for time in (WARM_UP, seconds):
        outcome = drive(contender.port, _requests(contender), CONNECTIONS, seconds=time)
    return outcome


def _requests(contender: Contender) -> Iterator[bytes]:
    return cycle([post(contender.paths(hook.event), hook.body) for hook in hooks(_DIFFERENT)])

"""Durable acknowledgements per second against a Flask view that does nothing: as many as go, nothing else running.

Rounds alternate, so that whatever else this machine does meets all. Ours runs on this disk and, as the limit without
one, in memory; how long the disk takes to sync a hook is asked before every round.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from redis import Redis

from bench import systems
from bench.hooks import BODY_BYTES, make_hooks
from bench.load import Outcome, post, send_requests
from bench.machine import cpu_seconds
from bench.processes import Folder
from bench.systems import SystemUnderTest
from pipeline.infra import redis_keys

CONNECTIONS = (16, 64, 256)
WARM_UP_S = 0.5  # seconds
FSYNC_SAMPLES = 50
IN_MEMORY = Path("/dev/shm")  # noqa: S108 the system's own memory disk
_DISTINCT_HOOKS = 200  # bodies


@dataclass
class Rounds:
    """The rounds of a system at a number of connections."""

    outcomes: list[Outcome] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)  # per request, all processes of the contender


@dataclass
class AcknowledgeResult:
    """All figures. `syncs_ms`: the time to sync the bytes of a hook, before each round."""

    rounds: dict[int, dict[str, Rounds]] = field(default_factory=dict)
    syncs_ms: list[float] = field(default_factory=list)


def measure(rounds: int, seconds: float) -> AcknowledgeResult:
    """By connections, then by contender: "bare", "always", "everysec", "in memory"."""
    found = AcknowledgeResult()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        running = {"bare": stack.enter_context(systems.bare(Folder(home / "bare")))}
        running["always"] = running["everysec"] = stack.enter_context(systems.web(Folder(home / "ours")))
        if IN_MEMORY.is_dir():
            memory = stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-", dir=IN_MEMORY))
            running["in memory"] = stack.enter_context(systems.web(Folder(Path(memory))))
        for connections in CONNECTIONS:
            of = found.rounds[connections] = {name: Rounds() for name in running}
            for _ in range(rounds):
                found.syncs_ms.append(_sync_ms(home))
                for name, contender in running.items():
                    _round(of[name], contender, name, connections, seconds)
    return found


def summary(found: AcknowledgeResult) -> dict[str, Any]:
    """Every round's figures, and ours at its best against the bare view at its best."""
    figures: dict[str, Any] = {
        "sync_ms": [round(sync_ms, 2) for sync_ms in found.syncs_ms],
        "connections": {
            connections: {name: _describe_rounds(rounds, of["bare"]) for name, rounds in of.items()}
            for connections, of in found.rounds.items()
        },
    }
    best = {name: _best(found, name) for name in next(iter(found.rounds.values()))}
    figures["best"] = {
        name: {"per_second": round(rate), "ratio": round(rate / best["bare"], 2)} for name, rate in best.items()
    }
    return figures


def _describe_rounds(rounds: Rounds, bare: Rounds) -> dict[str, Any]:
    pairs = zip(rounds.outcomes, bare.outcomes, strict=True)
    return {
        "per_second": [round(outcome.rate) for outcome in rounds.outcomes],
        "p50_ms": [round(outcome.wait(0.5), 2) for outcome in rounds.outcomes],
        "p99_ms": [round(outcome.wait(0.99), 2) for outcome in rounds.outcomes],
        "cpu_us": [round(used) for used in rounds.cpu_us],
        "failures": sum(outcome.failures for outcome in rounds.outcomes),
        "ratio": [round(one.rate / other.rate, 2) for one, other in pairs],
    }


def _best(found: AcknowledgeResult, name: str) -> float:
    return max(statistics.median(outcome.rate for outcome in of[name].outcomes) for of in found.rounds.values())


def _round(rounds: Rounds, contender: SystemUnderTest, name: str, connections: int, seconds: float) -> None:
    with ExitStack() as stack:
        if contender.redis_url:
            redis = stack.enter_context(Redis.from_url(contender.redis_url))
            redis.config_set("appendfsync", "everysec" if name == "everysec" else "always")
            stack.callback(redis.delete, redis_keys.INBOX)
        send_requests(contender.port, _requests(contender), connections, seconds=WARM_UP_S)
        before = cpu_seconds(contender.roots)
        outcome = send_requests(contender.port, _requests(contender), connections, seconds=seconds)
        used = cpu_seconds(contender.roots) - before
    rounds.outcomes.append(outcome)
    rounds.cpu_us.append(used * 1_000_000 / max(1, outcome.answers))


def _sync_ms(home: Path) -> float:
    """The mean time of writing and syncing the bytes of a hook on this disk."""
    with (home / "synced").open("ab", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(FSYNC_SAMPLES):
            file.write(b"x" * BODY_BYTES)
            os.fsync(file.fileno())
        return (time.perf_counter() - began) * 1_000 / FSYNC_SAMPLES


def _requests(contender: SystemUnderTest) -> Iterator[bytes]:
    return cycle([post(contender.paths(hook.event), hook.body) for hook in make_hooks(_DISTINCT_HOOKS)])

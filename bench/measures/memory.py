"""Whether anything grows: the memory of every process of ours while hooks go through, and what is left in Redis."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import linear_regression
from typing import Any

from redis import Redis

from bench import contenders
from bench.contenders import Contender
from bench.hooks import hooks, messages
from bench.load import drive, post
from bench.machine import command_of, descendants, resident
from bench.running import Folder
from bench.vendor import Vendor, vendor
from pipeline import keys

CONNECTIONS = 16
_MEBI = 1024 * 1024
_QUEUES = ("hooks", "deliveries", "backfill")
_NAMES = {"receiver.serve": "web", "worker@": "worker", "backfill@": "backfill", "beat": "beat", "flower": "flower"}


def measure(count: int, portion: int) -> dict[str, Any]:
    """Send `count` hooks in portions; weigh every process after each."""
    weights: dict[str, list[float]] = {}
    done: list[float] = []
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home:
        folder = Folder(Path(home))
        with vendor(folder) as platform, contenders.ours(folder, platform) as ours:
            for first in range(0, count, portion):
                _deliver(ours, platform, first, portion)
                done.append(first + portion)
                for name, weight in _weigh(ours).items():
                    weights.setdefault(name, []).append(weight)
            return {
                "hooks": count,
                "processes": {name: _slope(done, sizes) for name, sizes in weights.items()},
                "left": _left(str(ours.redis_url), str(ours.broker_url)),
            }


def _deliver(ours: Contender, platform: Vendor, first: int, portion: int) -> None:
    platform.forget()  # else the sandbox, which keeps everything, would be the one that grows
    told = hooks(portion, first=first, seed=first)
    drive(ours.port, (post(ours.paths(hook.event), hook.body) for hook in told), CONNECTIONS)
    platform.wait_for(messages(told))


def _weigh(ours: Contender) -> dict[str, float]:
    """MiB by process; a process that was replaced starts a row of its own."""
    weights = {}
    for pid in descendants(ours.roots):
        name = next((name for mark, name in _NAMES.items() if mark in command_of(pid)), None)
        if name:
            weights[f"{name} {pid}"] = resident(pid) / _MEBI
    return weights


def _slope(done: list[float], sizes: list[float]) -> dict[str, Any]:
    """The second half only: caches and pools fill in the first."""
    half = len(sizes) // 2
    if len(sizes) < len(done) or half < 2:  # noqa: PLR2004 a line needs two points
        return {"mib": round(sizes[-1], 1), "kib_per_1000_hooks": None}
    line = linear_regression(done[half:], sizes[half:])
    return {"mib": round(sizes[-1], 1), "kib_per_1000_hooks": round(line.slope * 1_000 * 1_024, 1)}


def _left(url: str, broker_url: str) -> dict[str, int]:
    with Redis.from_url(url) as redis, Redis.from_url(broker_url) as broker:
        queues = {name: int(broker.llen(f"cratewire:celery:{name}")) for name in _QUEUES}
        inbox = {"inbox": int(redis.xlen(keys.INBOX)), "tries": int(redis.hlen(keys.TRIES))}
        return {**inbox, **queues, "unacked": int(broker.hlen("cratewire:celery:unacked"))}

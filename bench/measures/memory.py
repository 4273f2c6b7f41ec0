"""Whether anything grows: the memory of every process of ours while hooks go through, and what is left in Redis."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import linear_regression
from typing import Any

from redis import Redis

from bench import systems
from bench.hooks import count_messages, make_hooks
from bench.load import post, send_requests
from bench.machine import command_of, descendants, get_private_bytes
from bench.platform import Platform, start_platform
from bench.processes import Folder
from bench.systems import SystemUnderTest
from pipeline.infra import redis_keys

CONNECTIONS = 16
_MEBI = 1024 * 1024
_QUEUES = ("hooks", "deliveries", "backfill", "fulfilment")
_NAMES = {
    "(cw web)": "web",
    "(cw worker)": "worker",
    "(cw backfill)": "backfill",
    "(cw beat)": "beat",
    "flower": "flower",
}


def measure(count: int, portion: int) -> dict[str, Any]:
    """Send `count` hooks in portions; weigh every process after each."""
    weights: dict[str, list[float]] = {}
    done: list[float] = []
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home:
        folder = Folder(Path(home))
        with start_platform(folder) as platform, systems.ours(folder, platform) as ours:
            for first in range(0, count, portion):
                _deliver(ours, platform, first, portion)
                done.append(first + portion)
                for name, weight in _measure_memory(ours).items():
                    weights.setdefault(name, []).append(weight)
            return {
                "hooks": count,
                "processes": {name: _fit_slope(done, sizes) for name, sizes in weights.items()},
                "left": _list_leftovers(str(ours.redis_url), str(ours.broker_url)),
            }


def _deliver(ours: SystemUnderTest, platform: Platform, first: int, portion: int) -> None:
    platform.forget()  # else the sandbox, which stores everything, would grow
    hooks = make_hooks(portion, first=first, seed=first)
    send_requests(ours.port, (post(ours.paths(hook.event), hook.body) for hook in hooks), CONNECTIONS)
    platform.wait_for(count_messages(hooks))


def _measure_memory(ours: SystemUnderTest) -> dict[str, float]:
    """MiB by process; a replaced process gets its own row."""
    weights = {}
    for pid in descendants(ours.roots):
        name = next((name for mark, name in _NAMES.items() if mark in command_of(pid)), None)
        if name:
            weights[f"{name} {pid}"] = get_private_bytes(pid) / _MEBI
    return weights


def _fit_slope(done: list[float], sizes: list[float]) -> dict[str, Any]:
    """The second half only: caches and pools fill in the first."""
    half = len(sizes) // 2
    if len(sizes) < len(done) or half < 2:  # noqa: PLR2004 a line needs two points
        return {"mib": round(sizes[-1], 1), "kib_per_1000_hooks": None}
    line = linear_regression(done[half:], sizes[half:])
    return {"mib": round(sizes[-1], 1), "kib_per_1000_hooks": round(line.slope * 1_000 * 1_024, 1)}


def _list_leftovers(url: str, broker_url: str) -> dict[str, int]:
    with Redis.from_url(url) as redis, Redis.from_url(broker_url) as broker:
        queues = {name: int(broker.llen(f"cratewire:celery:{name}")) for name in _QUEUES}
        inbox = {"inbox": int(redis.xlen(redis_keys.INBOX)), "tries": int(redis.hlen(redis_keys.POISON_TRIES))}
        return {**inbox, **queues, "unacked": int(broker.hlen("cratewire:celery:unacked"))}

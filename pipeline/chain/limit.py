"""Limits how many hooks may die of an error of our own: if nearly all do, a release is broken, not its hooks.

Then the chain stops and hooks stay in the inbox. Before it stops, and every few seconds afterwards, it is tried with a
few of the hooks that wait, without keeping anything: if most of them would go on, the fault is that of the others, and
the chain goes on. So a release that was mended goes on by itself, and one store's odd hooks stop no other store's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from redis import Redis

from pipeline import keys
from pipeline.model import FailedHook

NEARLY_ALL = 0.8
MOST_IN_A_ROW = 10  # hooks that die before the chain may stop: one alone shows nothing about a release
PROBE_INTERVAL_US = 10_000_000
_KEPT_S = 86_400  # how long deaths count as following each other
LET_DIE_S = 3_600


@dataclass(frozen=True, slots=True)
class Stopped:
    """The chain stands: since when (µs), with which version, in which link, of which kind of error, how many hooks."""

    since: int
    version: str
    link: str
    error: str
    hooks: int


def is_suspicious(redis: Redis, ours: int, sound: int) -> bool:
    """Count hooks that an error of ours keeps from going on. Whether nearly all do, and too many in a row."""
    if ours < NEARLY_ALL * (ours + sound):
        redis.delete(keys.FAILING)
        return False
    with redis.pipeline(transaction=True) as pipe:
        pipe.incrby(keys.FAILING, ours)
        pipe.expire(keys.FAILING, _KEPT_S)
        pipe.exists(keys.LET_DIE)
        in_a_row, _, lets_die = pipe.execute()
    return bool(in_a_row >= MOST_IN_A_ROW and not lets_die)


def is_broken(sound: int, failing: int) -> bool:
    """Whether the kinds of hooks that were tried say that the release is broken; if nothing else waits, it may be."""
    return failing >= NEARLY_ALL * (sound + failing)


def stop(redis: Redis, ours: Sequence[FailedHook], now: int) -> Stopped:
    """Let the chain stand, and say why."""
    kinds = Counter((one["stage"], str(one["detail"].get("error"))) for one in ours)
    (link, error), _ = kinds.most_common(1)[0]
    with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(keys.CHAIN_STOPPED, "since", now)
        said: dict[Any, Any] = {"version": our_version(), "link": link, "error": error, "hooks": len(ours)}
        pipe.hset(keys.CHAIN_STOPPED, mapping={**said, "probed_at": now})
        pipe.execute()
    return Stopped(now, our_version(), link, error, len(ours))


def stopped(redis: Redis) -> Stopped | None:
    """Why the chain stands; None: it does not."""
    found: Any = redis.hgetall(keys.CHAIN_STOPPED)
    kept = {name.decode(): value.decode() for name, value in found.items()}
    if not kept:
        return None
    return Stopped(int(kept["since"]), kept["version"], kept["link"], kept["error"], int(kept["hooks"]))


def probe_is_due(redis: Redis, now: int) -> bool:
    """Whether the chain that stands is to be tried now; only one who asks is told so."""
    last: Any = redis.hget(keys.CHAIN_STOPPED, "probed_at")
    if last is not None and int(last) + PROBE_INTERVAL_US > now:
        return False
    redis.hset(keys.CHAIN_STOPPED, "probed_at", now)
    return True


def go_on(redis: Redis, *, whatever_dies: bool = False) -> None:
    """Let the chain go on; for an hour, even if hooks die."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.delete(keys.CHAIN_STOPPED, keys.FAILING)
        if whatever_dies:
            pipe.set(keys.LET_DIE, 1, ex=LET_DIE_S)
        pipe.execute()


def our_version() -> str:
    """The version of the code that runs."""
    try:
        return version("cratewire")
    except PackageNotFoundError:
        return "unknown"

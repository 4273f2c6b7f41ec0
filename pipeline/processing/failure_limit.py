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

from pipeline.core.hooks import FailedHook
from pipeline.infra import redis_keys

MAX_FAILURE_SHARE = 0.8
MAX_CONSECUTIVE_FAILURES = 10  # hooks that die before the chain may stop: one alone shows nothing about a release
DRY_RUN_INTERVAL_US = 10_000_000
_FAILURES_TTL_S = 86_400  # how long deaths count as following each other
LIMIT_OVERRIDE_S = 3_600


@dataclass(frozen=True, slots=True)
class ChainStop:
    """The chain stands: since when (µs), with which version, in which link, of which kind of error, how many hooks."""

    since: int
    version: str
    link: str
    error: str
    hooks: int


def exceeds_failure_limit(redis: Redis, failed: int, succeeded: int) -> bool:
    """Count hooks that an error of ours keeps from going on. Whether nearly all do, and too many in a row."""
    if failed < MAX_FAILURE_SHARE * (failed + succeeded):
        redis.delete(redis_keys.CONSECUTIVE_FAILURES)
        return False
    with redis.pipeline(transaction=True) as pipe:
        pipe.incrby(redis_keys.CONSECUTIVE_FAILURES, failed)
        pipe.expire(redis_keys.CONSECUTIVE_FAILURES, _FAILURES_TTL_S)
        pipe.exists(redis_keys.FAILURE_LIMIT_OVERRIDE)
        in_a_row, _, lets_die = pipe.execute()
    return bool(in_a_row >= MAX_CONSECUTIVE_FAILURES and not lets_die)


def is_release_broken(succeeded: int, failed: int) -> bool:
    """Whether the kinds of hooks that were tried say that the release is broken; if nothing else waits, it may be."""
    return failed >= MAX_FAILURE_SHARE * (succeeded + failed)


def stop_chain(redis: Redis, failures: Sequence[FailedHook], now: int) -> ChainStop:
    """Let the chain stand, and say why."""
    kinds = Counter((one["stage"], str(one["detail"].get("error"))) for one in failures)
    (link, error), _ = kinds.most_common(1)[0]
    with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(redis_keys.CHAIN_STOPPED, "since", now)
        said: dict[Any, Any] = {"version": get_running_version(), "link": link, "error": error, "hooks": len(failures)}
        pipe.hset(redis_keys.CHAIN_STOPPED, mapping={**said, "probed_at": now})
        pipe.execute()
    return ChainStop(now, get_running_version(), link, error, len(failures))


def get_chain_stop(redis: Redis) -> ChainStop | None:
    """Why the chain stands; None: it does not."""
    found: Any = redis.hgetall(redis_keys.CHAIN_STOPPED)
    kept = {name.decode(): value.decode() for name, value in found.items()}
    if not kept:
        return None
    return ChainStop(int(kept["since"]), kept["version"], kept["link"], kept["error"], int(kept["hooks"]))


def claim_dry_run(redis: Redis, now: int) -> bool:
    """Whether the chain that stands is to be tried now; only one who asks is told so."""
    last: Any = redis.hget(redis_keys.CHAIN_STOPPED, "probed_at")
    if last is not None and int(last) + DRY_RUN_INTERVAL_US > now:
        return False
    redis.hset(redis_keys.CHAIN_STOPPED, "probed_at", now)
    return True


def resume_chain(redis: Redis, *, ignore_limit: bool = False) -> None:
    """Let the chain go on; for an hour, even if hooks die."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.delete(redis_keys.CHAIN_STOPPED, redis_keys.CONSECUTIVE_FAILURES)
        if ignore_limit:
            pipe.set(redis_keys.FAILURE_LIMIT_OVERRIDE, 1, ex=LIMIT_OVERRIDE_S)
        pipe.execute()


def get_running_version() -> str:
    """The version of the code that runs."""
    try:
        return version("cratewire")
    except PackageNotFoundError:
        return "unknown"

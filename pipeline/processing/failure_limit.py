"""Limits how many hooks may fail with an internal error: if nearly all do, the release is broken, not the hooks.

Then the chain stops and hooks stay in the inbox. Before it stops, and every few seconds afterwards, a dry run tries a
few of the waiting hooks: if most of them succeed, only some hooks are at fault and the chain resumes. So a chain that
stopped resumes by itself once the release is fixed, and one store's unusual hooks never stop the hooks of other stores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from pipeline.core.hooks import FailedHook
from pipeline.infra import redis_keys
from pipeline.processing.release import get_running_version

MAX_FAILURE_SHARE = 0.8
MAX_CONSECUTIVE_FAILURES = 10  # failures before the chain may stop: a single one says nothing about a release
DRY_RUN_INTERVAL_US = 10_000_000
LIMIT_OVERRIDE_S = 3_600
_FAILURES_TTL_S = 86_400  # failures further apart do not count as consecutive


@dataclass(frozen=True, slots=True)
class ChainStop:
    """Why the chain is stopped: since when (µs), by which version, in which link, the error's type, how many hooks."""

    since: int
    version: str
    link: str
    error: str
    hooks: int


def exceeds_failure_limit(redis: Redis, failed: int, succeeded: int) -> bool:
    """Count internal errors. Return whether nearly all hooks fail, and too many in a row."""
    if failed < MAX_FAILURE_SHARE * (failed + succeeded):
        redis.delete(redis_keys.CONSECUTIVE_FAILURES)
        return False
    with redis.pipeline(transaction=True) as pipe:
        pipe.incrby(redis_keys.CONSECUTIVE_FAILURES, failed)
        pipe.expire(redis_keys.CONSECUTIVE_FAILURES, _FAILURES_TTL_S)
        pipe.exists(redis_keys.FAILURE_LIMIT_OVERRIDE)
        consecutive, _, is_overridden = pipe.execute()
    return bool(consecutive >= MAX_CONSECUTIVE_FAILURES and not is_overridden)


def is_release_broken(succeeded: int, failed: int) -> bool:
    """Return whether a dry run says that the release is broken. If nothing else was waiting, it may be."""
    return failed >= MAX_FAILURE_SHARE * (succeeded + failed)


def stop_chain(redis: Redis, failures: Sequence[FailedHook], now: int) -> ChainStop:
    """Stop the chain because of these failures, and return the most frequent cause."""
    causes = Counter((hook["stage"], str(hook["detail"].get("error"))) for hook in failures)
    (link, error), _ = causes.most_common(1)[0]
    version = get_running_version()
    details: dict[Any, Any] = {"version": version, "link": link, "error": error, "hooks": len(failures)}
    with redis.pipeline(transaction=True) as pipe:
        pipe.hsetnx(redis_keys.CHAIN_STOPPED, "since", now)
        pipe.hset(redis_keys.CHAIN_STOPPED, mapping={**details, "probed_at": now})
        pipe.execute()
    return ChainStop(now, version, link, error, len(failures))


def get_chain_stop(redis: Redis) -> ChainStop | None:
    """Return why the chain is stopped; None if it runs."""
    fields: Any = redis.hgetall(redis_keys.CHAIN_STOPPED)
    stop = {name.decode(): value.decode() for name, value in fields.items()}
    if not stop:
        return None
    return ChainStop(int(stop["since"]), stop["version"], stop["link"], stop["error"], int(stop["hooks"]))


def claim_dry_run(redis: Redis, now: int) -> bool:
    """Return whether the next dry run of a stopped chain is due (`now` in µs), and if so record that it was run."""
    last: Any = redis.hget(redis_keys.CHAIN_STOPPED, "probed_at")
    if last is not None and int(last) + DRY_RUN_INTERVAL_US > now:
        return False
    redis.hset(redis_keys.CHAIN_STOPPED, "probed_at", now)
    return True


def resume_chain(redis: Redis, *, ignore_limit: bool = False) -> None:
    """Let the chain run again; with `ignore_limit`, for an hour however many hooks fail."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.delete(redis_keys.CHAIN_STOPPED, redis_keys.CONSECUTIVE_FAILURES)
        if ignore_limit:
            pipe.set(redis_keys.FAILURE_LIMIT_OVERRIDE, 1, ex=LIMIT_OVERRIDE_S)
        pipe.execute()

"""Checks a Redis: whether it answers, can be written and is durable."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, RedisError

from pipeline.infra import redis_client, redis_keys
from receiver.doctor.finding import Finding

MIN_REDIS_VERSION = (6, 2)  # the first with XAUTOCLAIM
MAX_CLOCK_DRIFT_S = 5.0
CONNECT_TIMEOUT_S = 3.0
_PROBE_TTL_S = 10  # TTL of the key written to test write access

Fault = tuple[str, str]  # what is wrong, what to do

_REPLICA_ADVICE = (
    "Make it a primary again with `REPLICAOF NO ONE`, or set {variable} to its primary; hooks wait until then."
)
_ACL_ADVICE = "Check user and password in {variable}, and that user's ACL."
# The first word of an error reply -> what is wrong, what to do.
_REFUSALS: dict[str, Fault] = {
    "READONLY": ("takes no writes: it is a replica", _REPLICA_ADVICE),
    "MISCONF": (
        "takes no writes: it cannot save to its disk",
        "Free space on the disk of Redis, and check its log.",
    ),
    "OOM": ("takes no writes: its memory is used up", "Raise `maxmemory`, or find what fills it."),
    "NOREPLICAS": ("takes no writes: replicas are missing", "Start its replicas, or lower `min-replicas-to-write`."),
    "MASTERDOWN": ("takes no writes: it is a replica whose primary is away", _REPLICA_ADVICE),
}


def open_redis(url: str) -> Redis:
    """Return a client with timeouts of a few seconds."""
    return redis_client.open_redis(url, socket_timeout=CONNECT_TIMEOUT_S, socket_connect_timeout=CONNECT_TIMEOUT_S)


def find_fault(client: Redis, variable: str = "REDIS_URL", unreachable: str = "") -> Fault | None:
    """Return why this Redis cannot be read and written, and what to do; None if it can.

    `variable` names its address; `unreachable` is what to do if it does not answer.
    """
    try:
        client.set(redis_keys.DOCTOR, 1, ex=_PROBE_TTL_S)
        role: Any = client.info("replication")
    except RedisError as error:
        return explain_error(error, variable, unreachable)
    if role.get("role") == "slave":  # a writable replica discards writes when it syncs with its primary
        return "is a replica: writes to it are lost", _REPLICA_ADVICE.format(variable=variable)
    return None


def check_redis(url: str, unreachable: str, now: Callable[[], float]) -> Iterator[Finding]:
    """Yield every finding about the inbox's Redis. `unreachable`: what to do if it does not answer."""
    with contextlib.closing(open_redis(url)) as client:
        fault = find_fault(client, unreachable=unreachable)
        yield Finding("redis", "wrong", *fault) if fault else Finding("redis", "ok", "answers, and can be written")
        with contextlib.suppress(RedisError):  # already reported, or the server forbids INFO
            facts: dict[str, Any] = client.info()
            yield _check_version(facts)
            yield _check_append_only(facts)
            yield from _check_fsync(client)
            yield _check_eviction(facts)
            seconds, micros = client.time()
            yield _check_clock(now() - (seconds + micros / 1e6))


def explain_error(error: RedisError, variable: str = "REDIS_URL", unreachable: str = "") -> Fault:
    """Explain an error of the client: what is wrong with the server, and what to do."""
    summary, advice = _classify_error(error, unreachable or "Check {variable} and the server.")
    return summary, advice.format(variable=variable)


def _classify_error(error: RedisError, unreachable: str) -> Fault:
    word = str(error).partition(" ")[0].upper()
    kind = type(error).__name__
    if word in _REFUSALS or kind == "ReadOnlyError":
        return _REFUSALS.get(word, _REFUSALS["READONLY"])
    if kind == "OutOfMemoryError":
        return _REFUSALS["OOM"]
    if isinstance(error, AuthenticationError | NoPermissionError):
        return f"refuses us ({kind})", _ACL_ADVICE
    if isinstance(error, BusyLoadingError):
        return "is still loading its data", "Wait; its log shows the progress."
    return f"no answer ({kind})", unreachable


def _check_version(facts: Mapping[str, Any]) -> Finding:
    kind = "Valkey" if "valkey_version" in facts else "Redis"
    text = str(facts.get("valkey_version", facts.get("redis_version", "0")))
    if tuple(int(part) for part in text.split(".")[:2]) >= MIN_REDIS_VERSION:
        return Finding("redis version", "ok", f"{kind} {text}")
    return Finding("redis version", "wrong", f"{kind} {text}", "Use Valkey, or Redis 6.2 or later.")


def _check_append_only(facts: Mapping[str, Any]) -> Finding:
    if not facts.get("aof_enabled"):
        advice = "Set `appendonly yes`: without it a restart of Redis loses hooks that we acknowledged."
        return Finding("append-only file", "wrong", "off", advice)
    if facts.get("aof_last_write_status", "ok") != "ok":
        return Finding("append-only file", "wrong", "cannot be written", "Free space on the disk of Redis.")
    return Finding("append-only file", "ok", "on")


def _check_fsync(client: Redis) -> Iterator[Finding]:
    """Check `appendfsync`. Yields nothing if the server refuses CONFIG, as a hosted Redis may."""
    with contextlib.suppress(RedisError):
        mode = client.config_get("appendfsync").get("appendfsync")
        skips = client.config_get("no-appendfsync-on-rewrite").get("no-appendfsync-on-rewrite")
        if skips == "yes":
            advice = (
                "Set `no-appendfsync-on-rewrite no`: a power failure during a rewrite loses hooks that we acknowledged."
            )
            yield Finding("fsync", "wrong", "none while the append-only file is rewritten", advice)
            return
        advice = "" if mode == "always" else "With `appendfsync always` a power failure loses nothing either."
        yield Finding("fsync", "note" if advice else "ok", str(mode), advice)


def _check_eviction(facts: Mapping[str, Any]) -> Finding:
    policy = str(facts.get("maxmemory_policy"))
    if policy == "noeviction":
        return Finding("eviction", "ok", policy)
    return Finding("eviction", "wrong", policy, "Set `maxmemory-policy noeviction`: a full Redis would drop hooks.")


def _check_clock(drift: float) -> Finding:
    summary = f"{abs(drift):.1f} s from Redis's"
    if abs(drift) <= MAX_CLOCK_DRIFT_S:
        return Finding("clock", "ok", summary)
    return Finding("clock", "wrong", summary, "Set the clocks of both machines, for instance with chrony.")

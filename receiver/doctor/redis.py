"""What the doctor says of a Redis: whether it answers, can be written, and keeps what it is given."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, RedisError

from pipeline.infra import redis_keys
from receiver.doctor.finding import Finding

MIN_REDIS_VERSION = (6, 2)  # the first with XAUTOCLAIM
MAX_CLOCK_DRIFT_S = 5.0
CONNECT_TIMEOUT_S = 3.0
_PROBE_TTL_S = 10  # how long what we write to see whether it can be written stays

Fault = tuple[str, str]  # what is wrong, what to do

_REPLICA_ADVICE = (
    "Make it a primary again with `REPLICAOF NO ONE`, or set {variable} to its primary; "
    "what cannot be written to it waits until then."
)
_ACL_ADVICE = "Look at user and password in {variable}, and at what its ACL lets that user do."
# The first word of a refusal.
_REFUSALS: dict[str, Fault] = {
    "READONLY": ("takes no writes: it is a replica", _REPLICA_ADVICE),
    "MISCONF": (
        "takes no writes: it cannot save to its disk",
        "Make room on the disk of Redis, and see what it logged.",
    ),
    "OOM": ("takes no writes: its memory is used up", "Raise `maxmemory`, or find what fills it."),
    "NOREPLICAS": ("takes no writes: replicas are missing", "Start its replicas, or lower `min-replicas-to-write`."),
    "MASTERDOWN": ("takes no writes: it is a replica whose primary is away", _REPLICA_ADVICE),
}


def open_redis(url: str) -> Redis:
    """A client that waits for a few seconds and no longer."""
    return Redis.from_url(url, socket_timeout=CONNECT_TIMEOUT_S, socket_connect_timeout=CONNECT_TIMEOUT_S)


def find_fault(client: Redis, variable: str = "REDIS_URL", unreachable: str = "") -> Fault | None:
    """What keeps this Redis from being read and written, and what to do; None: nothing.

    `variable` names its address; `unreachable` is what to do if it does not answer.
    """
    try:
        client.set(redis_keys.DOCTOR, 1, ex=_PROBE_TTL_S)
        role: Any = client.info("replication")
    except RedisError as error:
        return explain_error(error, variable, unreachable)
    if role.get("role") == "slave":  # one that takes writes forgets them as soon as it hears its primary
        return "is a replica: what is written to it does not stay", _REPLICA_ADVICE.format(variable=variable)
    return None


def check_redis(url: str, unreachable: str, now: Callable[[], float]) -> Iterator[Finding]:
    """Every finding about the inbox's Redis. `unreachable`: what to do if it does not answer."""
    with contextlib.closing(open_redis(url)) as client:
        fault = find_fault(client, unreachable=unreachable)
        yield Finding("redis", "wrong", *fault) if fault else Finding("redis", "ok", "answers, and can be written")
        with contextlib.suppress(RedisError):  # it was named, or the server forbids INFO
            facts: dict[str, Any] = client.info()
            yield _check_version(facts)
            yield _check_append_only(facts)
            yield from _check_fsync(client)
            yield _check_eviction(facts)
            seconds, micros = client.time()
            yield _check_clock(now() - (seconds + micros / 1e6))


def explain_error(error: RedisError, variable: str = "REDIS_URL", unreachable: str = "") -> Fault:
    """What an error of the client says of its server, and what to do."""
    says, advice = _classify_error(error, unreachable or "Look at {variable} and the server.")
    return says, advice.format(variable=variable)


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
        return "is still reading its data", "Wait; its log says how far it is."
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
        return Finding("append-only file", "wrong", "cannot be written", "Make room on the disk of Redis.")
    return Finding("append-only file", "ok", "on")


def _check_fsync(client: Redis) -> Iterator[Finding]:
    """A hosted Redis may refuse CONFIG; then there is nothing to say."""
    with contextlib.suppress(RedisError):
        mode = client.config_get("appendfsync").get("appendfsync")
        skips = client.config_get("no-appendfsync-on-rewrite").get("no-appendfsync-on-rewrite")
        if skips == "yes":
            advice = (
                "Set `no-appendfsync-on-rewrite no`: a power cut during a rewrite loses hooks that we acknowledged."
            )
            yield Finding("fsync", "wrong", "none while the append-only file is rewritten", advice)
            return
        advice = "" if mode == "always" else "With `appendfsync always` a power cut loses nothing either."
        yield Finding("fsync", "note" if advice else "ok", str(mode), advice)


def _check_eviction(facts: Mapping[str, Any]) -> Finding:
    policy = str(facts.get("maxmemory_policy"))
    if policy == "noeviction":
        return Finding("eviction", "ok", policy)
    return Finding("eviction", "wrong", policy, "Set `maxmemory-policy noeviction`: a full Redis would drop hooks.")


def _check_clock(drift: float) -> Finding:
    says = f"{abs(drift):.1f} s from Redis's"
    if abs(drift) <= MAX_CLOCK_DRIFT_S:
        return Finding("clock", "ok", says)
    return Finding("clock", "wrong", says, "Set the clocks of both machines, for instance with chrony.")

"""What the doctor says of a Redis: whether it answers, can be written, and keeps what it is given."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, BusyLoadingError, NoPermissionError, RedisError

from pipeline import keys
from receiver.finding import Finding

OLDEST_REDIS = (6, 2)  # the first with XAUTOCLAIM
LARGEST_DRIFT_S = 5.0
PATIENCE_S = 3.0
_MARK_S = 10  # how long what we write to see whether it can be written stays

Fault = tuple[str, str]  # what is wrong, what to do

_REPLICA = (
    "Make it a primary again with `REPLICAOF NO ONE`, or set {variable} to its primary; "
    "what cannot be written to it waits until then."
)
_RIGHTS = "Look at user and password in {variable}, and at what its ACL lets that user do."
# The first word of a refusal.
_REFUSALS: dict[str, Fault] = {
    "READONLY": ("takes no writes: it is a replica", _REPLICA),
    "MISCONF": (
        "takes no writes: it cannot save to its disk",
        "Make room on the disk of Redis, and see what it logged.",
    ),
    "OOM": ("takes no writes: its memory is used up", "Raise `maxmemory`, or find what fills it."),
    "NOREPLICAS": ("takes no writes: replicas are missing", "Start its replicas, or lower `min-replicas-to-write`."),
    "MASTERDOWN": ("takes no writes: it is a replica whose primary is away", _REPLICA),
}


def opened(url: str) -> Redis:
    """A client that waits for a few seconds and no longer."""
    return Redis.from_url(url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)


def fault_of(client: Redis, variable: str = "REDIS_URL", unreachable: str = "") -> Fault | None:
    """What keeps this Redis from being read and written, and what to do; None: nothing.

    `variable` names its address; `unreachable` is what to do if it does not answer.
    """
    try:
        client.set(keys.DOCTOR, 1, ex=_MARK_S)
        role: Any = client.info("replication")
    except RedisError as error:
        return refusal_of(error, variable, unreachable)
    if role.get("role") == "slave":  # one that takes writes forgets them as soon as it hears its primary
        return "is a replica: what is written to it does not stay", _REPLICA.format(variable=variable)
    return None


def look_at_redis(url: str, unreachable: str, now: Callable[[], float]) -> Iterator[Finding]:
    """Every finding about the inbox's Redis. `unreachable`: what to do if it does not answer."""
    with contextlib.closing(opened(url)) as client:
        fault = fault_of(client, unreachable=unreachable)
        yield Finding("redis", "wrong", *fault) if fault else Finding("redis", "ok", "answers, and can be written")
        with contextlib.suppress(RedisError):  # it was named, or the server forbids INFO
            facts: dict[str, Any] = client.info()
            yield _version(facts)
            yield _append_only(facts)
            yield from _fsync(client)
            yield _eviction(facts)
            seconds, micros = client.time()
            yield _clock(now() - (seconds + micros / 1e6))


def refusal_of(error: RedisError, variable: str = "REDIS_URL", unreachable: str = "") -> Fault:
    """What an error of the client says of its server, and what to do."""
    says, advice = _words(error, unreachable or "Look at {variable} and the server.")
    return says, advice.format(variable=variable)


def _words(error: RedisError, unreachable: str) -> Fault:
    word = str(error).partition(" ")[0].upper()
    kind = type(error).__name__
    if word in _REFUSALS or kind == "ReadOnlyError":
        return _REFUSALS.get(word, _REFUSALS["READONLY"])
    if kind == "OutOfMemoryError":
        return _REFUSALS["OOM"]
    if isinstance(error, AuthenticationError | NoPermissionError):
        return f"refuses us ({kind})", _RIGHTS
    if isinstance(error, BusyLoadingError):
        return "is still reading its data", "Wait; its log says how far it is."
    return f"no answer ({kind})", unreachable


def _version(facts: Mapping[str, Any]) -> Finding:
    kind = "Valkey" if "valkey_version" in facts else "Redis"
    text = str(facts.get("valkey_version", facts.get("redis_version", "0")))
    if tuple(int(part) for part in text.split(".")[:2]) >= OLDEST_REDIS:
        return Finding("redis version", "ok", f"{kind} {text}")
    return Finding("redis version", "wrong", f"{kind} {text}", "Use Valkey, or Redis 6.2 or later.")


def _append_only(facts: Mapping[str, Any]) -> Finding:
    if not facts.get("aof_enabled"):
        advice = "Set `appendonly yes`: without it a restart of Redis loses hooks that we acknowledged."
        return Finding("append-only file", "wrong", "off", advice)
    if facts.get("aof_last_write_status", "ok") != "ok":
        return Finding("append-only file", "wrong", "cannot be written", "Make room on the disk of Redis.")
    return Finding("append-only file", "ok", "on")


def _fsync(client: Redis) -> Iterator[Finding]:
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


def _eviction(facts: Mapping[str, Any]) -> Finding:
    policy = str(facts.get("maxmemory_policy"))
    if policy == "noeviction":
        return Finding("eviction", "ok", policy)
    return Finding("eviction", "wrong", policy, "Set `maxmemory-policy noeviction`: a full Redis would drop hooks.")


def _clock(drift: float) -> Finding:
    says = f"{abs(drift):.1f} s from Redis's"
    if abs(drift) <= LARGEST_DRIFT_S:
        return Finding("clock", "ok", says)
    return Finding("clock", "wrong", says, "Set the clocks of both machines, for instance with chrony.")

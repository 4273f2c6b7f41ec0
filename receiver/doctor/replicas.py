"""Checks what survives the machine of Redis: its replicas, and the Sentinels that name a new primary."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from redis import Redis, RedisError
from redis.exceptions import ResponseError

from pipeline.core.plural import pluralize
from pipeline.inbox.replicas import ReplicasMissing, ReplicaWait, count_replicas
from pipeline.infra import redis_keys
from pipeline.infra.redis_client import SentinelAddress, is_sentinel_url, open_sentinels, parse_sentinel_url
from pipeline.settings import Settings
from receiver.doctor.finding import Finding
from receiver.doctor.redis import CONNECT_TIMEOUT_S, open_redis

CONFIRM_TIMEOUT_S = 2.0  # at least; longer than web usually waits, so that a slow replica differs from one that is away
_START_ADVICE = "Start the replicas, or lower CRATEWIRE_REPLICAS: hooks wait in the spool until then."
_DISK_ADVICE = (
    "Set `appendonly yes` and `appendfsync always` on the replicas; hooks wait in the spool until they confirm a write."
)
_SLOW_ADVICE = "Set `appendfsync always` on Redis and its replicas, or raise CRATEWIRE_REDIS_TIMEOUT."


def check_replicas(settings: Settings) -> Iterator[Finding]:
    """Nothing about replicas if Redis does not answer: that is a finding of its own."""
    if is_sentinel_url(settings.redis_url):
        yield _check_sentinels(parse_sentinel_url(settings.redis_url))
    with contextlib.closing(open_redis(settings.redis_url)) as client, contextlib.suppress(RedisError):
        facts: dict[str, Any] = client.info("replication")
        if facts.get("role") == "master":
            yield from _check_replicas(settings, client, count_replicas(facts))


def _check_replicas(settings: Settings, client: Redis, found: int) -> Iterator[Finding]:
    wanted = settings.replicas
    if not wanted:
        if found:
            advice = "With CRATEWIRE_REPLICAS an acknowledgement waits for them, and no failover loses a hook."
            yield Finding("replicas", "note", f"{found} connected, none is waited for", advice)
        return
    if found < wanted:
        yield Finding("replicas", "wrong", f"{found} of {wanted} connected", _START_ADVICE)
        return
    yield _time_confirmation(settings, client, found)


def _time_confirmation(settings: Settings, client: Redis, found: int) -> Finding:
    """Write something and see how long the replicas take to confirm it."""
    wait = ReplicaWait(settings.replicas, max(CONFIRM_TIMEOUT_S, settings.redis_timeout), time.monotonic)
    began = time.monotonic()
    try:
        with wait.confirming(client) as one:
            one.set(redis_keys.DOCTOR, 1, ex=round(10 * CONFIRM_TIMEOUT_S))
    except ReplicasMissing:
        return Finding("replicas", "wrong", f"{found} connected, but too few have a write on disk", _DISK_ADVICE)
    except RedisError as error:
        return Finding("replicas", "wrong", f"Redis cannot ask them: {type(error).__name__}", _DISK_ADVICE)
    took_s = time.monotonic() - began
    says = f"{found} connected, {settings.replicas} confirmed a write after {took_s * 1000:.0f} ms"
    if took_s > settings.redis_timeout:
        return Finding("replicas", "wrong", says, _SLOW_ADVICE)
    if not wait.counts_disks:
        advice = "This Redis has no WAITAOF (7.2 or later has): a replica counts that has a hook in memory."
        return Finding("replicas", "note", says, advice)
    if found == settings.replicas:
        return Finding("replicas", "note", says, "Have one more: when one is away, hooks wait in the spool.")
    return Finding("replicas", "ok", says)


def _check_sentinels(address: SentinelAddress) -> Finding:
    answers = [_ask_quorum(sentinel, address.primary) for sentinel in _open_all(address)]
    up, sure = sum(answer is not None for answer in answers), sum(answer is True for answer in answers)
    says = f"{up} of {pluralize(len(answers), 'Sentinel')} answer"
    if 2 * up <= len(answers):
        return Finding("sentinels", "wrong", says, "Start them: without a majority there is no failover.")
    if not sure:
        says += f", and they have no quorum for {address.primary}"
        return Finding("sentinels", "wrong", says, "Check the name in REDIS_URL, and `SENTINEL CKQUORUM` at each.")
    if up < len(answers):
        return Finding("sentinels", "note", f"{says}; quorum reached", "Start the others.")
    return Finding("sentinels", "ok", f"{says}; quorum reached")


def _open_all(address: SentinelAddress) -> list[Redis]:
    timeouts = {"socket_timeout": CONNECT_TIMEOUT_S, "socket_connect_timeout": CONNECT_TIMEOUT_S}
    return list(open_sentinels(address, **timeouts).sentinels)


def _ask_quorum(sentinel: Redis, primary: str) -> bool | None:
    """Return whether this Sentinel could start a failover; None if it does not answer."""
    with contextlib.closing(sentinel):
        try:
            sentinel.execute_command("SENTINEL CKQUORUM", primary)  # type: ignore[no-untyped-call]
        except ResponseError:
            return False
        except RedisError:
            return None
        return True

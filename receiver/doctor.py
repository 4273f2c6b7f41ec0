"""What can be wrong with an installation, how to see it, and what to do about it."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from kombu.connection import Connection
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.ledger.engine import make_engine
from pipeline.ledger.migrations import is_current
from pipeline.settings import VARIABLES, Settings
from receiver.attention import look_at_attention
from receiver.finding import Finding, State
from receiver.hearing import look_at_hearing
from receiver.keyhole import look_at_key
from receiver.run.premises import is_held
from receiver.working import look_at_work

PYTHONS = ((3, 11), (3, 14))
OLDEST_REDIS = (6, 2)  # the first with XAUTOCLAIM
LEAST_SPACE = 200_000_000  # bytes; below this the spool would soon refuse hooks
LARGEST_DRIFT = 5.0  # seconds
CONNECTING = "CRATEWIRE_CONNECT_"  # secrets for `cratewire connect`
PATIENCE = 3.0
# How kombu is told to be patient: it calls it otherwise for each kind of broker.
_OF_REDIS = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
_BROKERS = {"redis": _OF_REDIS, "rediss": _OF_REDIS}


def examine(settings: Settings, environ: Mapping[str, str], now: Callable[[], float]) -> Iterator[Finding]:
    """Every finding, in the order in which one would repair."""
    yield _python(sys.version_info[:2])
    yield from _unknown_variables(environ)
    yield from _data_directory(settings)
    yield from _redis(settings, now)
    if settings.broker_url != settings.redis_url:
        yield _broker(settings)
    yield _database(settings)
    yield from look_at_key(settings)
    yield from look_at_work(settings, now)
    yield from look_at_hearing(settings, now)
    yield from look_at_attention(settings, now)


def _python(version: tuple[int, ...]) -> Finding:
    says = ".".join(map(str, version))
    if PYTHONS[0] <= version < PYTHONS[1]:
        return Finding("python", "ok", says)
    return Finding("python", "wrong", says, "Use Python 3.11, 3.12 or 3.13.")


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    known = {row.name for row in VARIABLES.values()}
    ours = (name for name in environ if name.startswith("CRATEWIRE_") and not name.startswith(CONNECTING))
    unknown = sorted(set(ours) - known)
    if unknown:
        yield Finding("settings", "note", f"unknown: {', '.join(unknown)}", "Compare the names with .env.example.")
    else:
        yield Finding("settings", "ok", "read")


def _data_directory(settings: Settings) -> Iterator[Finding]:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        advice = "Give us a directory that we may write to, with CRATEWIRE_DATA_DIR."
        yield Finding("data directory", "wrong", f"{settings.data_dir}: {error.strerror}", advice)
        return
    yield Finding("data directory", "ok", f"{settings.data_dir} can be written")
    state: State = "ok" if free >= LEAST_SPACE else "wrong"
    advice = "" if state == "ok" else "Make room: hooks are refused when the disk is full."
    yield Finding("free space", state, f"{free / 1e9:.1f} GB", advice)


def _redis(settings: Settings, now: Callable[[], float]) -> Iterator[Finding]:
    with contextlib.closing(
        Redis.from_url(settings.redis_url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    ) as client:
        try:
            facts: dict[str, Any] = client.info()
            seconds, micros = client.time()
        except RedisError as error:
            advice = _embedded(settings) if settings.embedded_redis else "Look at REDIS_URL and the server."
            yield Finding("redis", "wrong", f"no answer ({type(error).__name__})", advice)
            return
        yield Finding("redis", "ok", "answers")
        yield _version(facts)
        yield _append_only(facts)
        yield from _fsync(client)
        yield _eviction(facts)
        yield _clock(now() - (seconds + micros / 1e6))


def _embedded(settings: Settings) -> str:
    if is_held(settings.data_dir):
        return "`cratewire run` is up, but its Valkey does not answer: restart it, and see what it logged."
    return "Start it with `cratewire run`."


def _version(facts: Mapping[str, Any]) -> Finding:
    kind = "Valkey" if "valkey_version" in facts else "Redis"
    text = str(facts.get("valkey_version", facts.get("redis_version", "0")))
    if tuple(int(part) for part in text.split(".")[:2]) >= OLDEST_REDIS:
        return Finding("redis version", "ok", f"{kind} {text}")
    return Finding("redis version", "wrong", f"{kind} {text}", "Use Valkey, or Redis 6.2 or later.")


def _append_only(facts: Mapping[str, Any]) -> Finding:
    if facts.get("aof_enabled"):
        return Finding("append-only file", "ok", "on")
    advice = "Set `appendonly yes`: without it a restart of Redis loses hooks that we acknowledged."
    return Finding("append-only file", "wrong", "off", advice)


def _fsync(client: Redis) -> Iterator[Finding]:
    """A hosted Redis may refuse CONFIG; then there is nothing to say."""
    with contextlib.suppress(RedisError):
        mode = client.config_get("appendfsync").get("appendfsync")
        advice = "" if mode == "always" else "With `appendfsync always` a power cut loses nothing either."
        yield Finding("fsync", "note" if advice else "ok", str(mode), advice)


def _eviction(facts: Mapping[str, Any]) -> Finding:
    policy = str(facts.get("maxmemory_policy"))
    if policy == "noeviction":
        return Finding("eviction", "ok", policy)
    return Finding("eviction", "wrong", policy, "Set `maxmemory-policy noeviction`: a full Redis would drop hooks.")


def _clock(drift: float) -> Finding:
    says = f"{abs(drift):.1f} s from Redis's"
    if abs(drift) <= LARGEST_DRIFT:
        return Finding("clock", "ok", says)
    return Finding("clock", "wrong", says, "Set the clocks of both machines, for instance with chrony.")


def _broker(settings: Settings) -> Finding:
    options = _BROKERS.get(urlsplit(settings.broker_url).scheme)
    with Connection(  # type: ignore[no-untyped-call]
        settings.broker_url, connect_timeout=PATIENCE, transport_options=options
    ) as broker:
        try:
            broker.connect()
        except (OSError, *broker.connection_errors, *broker.channel_errors) as error:
            advice = "Look at CRATEWIRE_BROKER_URL (user, password and virtual host, too) and the server."
            advice = _embedded(settings) if settings.embedded_broker else advice
            return Finding("broker", "wrong", f"no answer ({type(error).__name__})", advice)
    return Finding("broker", "ok", "answers")


def _database(settings: Settings) -> Finding:
    engine = make_engine(settings.database_url)
    try:
        if is_current(engine):
            return Finding("database", "ok", f"{engine.dialect.name}, newest revision")
        return Finding("database", "wrong", "not at the newest revision", "Run `cratewire migrate`.")
    except SQLAlchemyError as error:
        return Finding(
            "database", "wrong", f"no answer ({type(error).__name__})", "Look at DATABASE_URL and the server."
        )
    finally:
        engine.dispose()

"""What can be wrong with an installation, how to see it, and what to do about it."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from kombu.connection import Connection

from pipeline.embedded import is_held
from pipeline.private_files import open_to_others
from pipeline.settings import VARIABLES, Settings
from receiver.attention import look_at_attention
from receiver.database_state import look_at_database
from receiver.finding import Finding, State
from receiver.hearing import look_at_hearing
from receiver.keyhole import look_at_key
from receiver.open_files import hard_limit, look_at_files
from receiver.redis_state import PATIENCE_S, fault_of, look_at_redis, opened
from receiver.working import look_at_work

PYTHONS = ((3, 11), (3, 14))
LEAST_SPACE = 200_000_000  # bytes; below this the spool would soon refuse hooks
CONNECTING = "CRATEWIRE_CONNECT_"  # secrets for `cratewire connect`
NO_DIRECTORY = "Let this user read and write that directory, or choose another with CRATEWIRE_DATA_DIR."
_REDIS_SCHEMES = ("redis", "rediss", "unix")


def examine(settings: Settings, environ: Mapping[str, str], now: Callable[[], float]) -> Iterator[Finding]:
    """Every finding, in the order in which one would repair."""
    yield _python(sys.version_info[:2])
    yield from _unknown_variables(environ)
    yield look_at_files(hard_limit())
    yield from _data_directory(settings)
    yield _privacy(settings)
    unreachable = _embedded(settings) if settings.embedded_redis else "Look at REDIS_URL and the server."
    yield from look_at_redis(settings.redis_url, unreachable, now)
    if settings.broker_url != settings.redis_url:
        yield _broker(settings)
    yield from look_at_database(settings)
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
        yield Finding("data directory", "wrong", f"{settings.data_dir}: {error.strerror}", NO_DIRECTORY)
        return
    yield Finding("data directory", "ok", f"{settings.data_dir} can be written")
    state: State = "ok" if free >= LEAST_SPACE else "wrong"
    advice = "" if state == "ok" else "Make room: hooks are refused when the disk is full."
    yield Finding("free space", state, f"{free / 1e9:.1f} GB", advice)


def _privacy(settings: Settings) -> Finding:
    found = open_to_others(settings.data_dir, settings.database_url)
    if not found:
        return Finding("private files", "ok", "no other user of this machine may read them")
    says = f"{len(found)} may be read by other users of this machine, {found[0]} for one"
    return Finding("private files", "wrong", says, "`cratewire run` mends it when it starts; or: chmod -R go= on them.")


def _embedded(settings: Settings) -> str:
    if is_held(settings.data_dir):
        return "`cratewire run` is up, but its Valkey does not answer: restart it, and see what it logged."
    return "Start it with `cratewire run`."


def _broker(settings: Settings) -> Finding:
    advice = "Look at CRATEWIRE_BROKER_URL (user, password and virtual host, too) and the server."
    advice = _embedded(settings) if settings.embedded_broker else advice
    if urlsplit(settings.broker_url).scheme in _REDIS_SCHEMES:
        with contextlib.closing(opened(settings.broker_url)) as client:
            fault = fault_of(client, "CRATEWIRE_BROKER_URL", advice)
        return Finding("broker", "wrong", *fault) if fault else Finding("broker", "ok", "answers, and can be written")
    with Connection(settings.broker_url, connect_timeout=PATIENCE_S) as broker:  # type: ignore[no-untyped-call]
        try:
            broker.connect()
        except (OSError, *broker.connection_errors, *broker.channel_errors) as error:
            return Finding("broker", "wrong", f"no answer ({type(error).__name__})", advice)
    return Finding("broker", "ok", "answers")

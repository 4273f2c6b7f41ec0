"""Redis, the database, the clock and the disk: what is away, nearly full, or not set as keeping hooks needs it."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.attention.item import AttentionItem, Cause
from pipeline.context import Context
from pipeline.core.plural import pluralize
from pipeline.inbox.spool.queue import SPOOL_FILE_NAME
from pipeline.ledger.engine import reading
from pipeline.ledger.migrations import is_current
from pipeline.ledger.monitoring.alarms import OPERATOR

REDIS, DATABASE, CLOCK, DISK, SPOOL = "redis", "database", "clock", "disk_nearly_full", "spool_in_use"
MAX_DRIFT_S = 5.0
MIN_FREE_BYTES = 1_000_000_000
MIN_FREE_SHARE = 0.1  # of a disk that is small
MAX_MEMORY_SHARE = 0.9  # of Redis's memory
MAX_SPOOL_AGE_US = 60_000_000  # longer than it takes to move hooks from the disk into an inbox that answers
_HOOKS_KEPT = "Hooks are kept on web's disk meanwhile, and become events once it answers."


def _find_redis_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    try:
        facts: Mapping[str, Any] = context.redis.info()
    except (NoConnection, NoAnswer) as error:  # another error says that it answers
        headline, to_do = (
            f"Redis does not answer ({type(error).__name__})",
            "Look at REDIS_URL and the server; `cratewire doctor`.",
        )
        yield _build_item(REDIS, "away", headline, _HOOKS_KEPT, to_do, now)
        return
    if not facts.get("aof_enabled", 1):
        effect = "A restart of Redis loses hooks that were acknowledged."
        yield _build_item(REDIS, "append-only", "Redis keeps nothing on disk", effect, "Set `appendonly yes`.", now)
    if facts.get("maxmemory_policy", "noeviction") != "noeviction":
        effect = "A full Redis would drop hooks that were acknowledged."
        yield _build_item(REDIS, "eviction", "Redis may evict", effect, "Set `maxmemory-policy noeviction`.", now)
    if (most := facts.get("maxmemory", 0)) and facts.get("used_memory", 0) > MAX_MEMORY_SHARE * most:
        effect = "Once it is full, hooks go to web's disk."
        to_do = "See why hooks wait: `cratewire status`; or raise `maxmemory` (CRATEWIRE_VALKEY_MAXMEMORY)."
        yield _build_item(REDIS, "memory", "Redis is nearly full", effect, to_do, now)


def _find_database_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    try:
        current = is_current(context.engine)
    except SQLAlchemyError as error:
        headline = f"The database does not answer ({type(error).__name__})"
        effect = "Hooks are kept in Redis meanwhile, and become events once it answers."
        yield _build_item(DATABASE, "away", headline, effect, "Look at DATABASE_URL and the server.", now)
        return
    if not current:
        headline, effect = "The database is not at the newest revision", "Hooks are kept, and may not become events."
        yield _build_item(DATABASE, "revision", headline, effect, "Run `cratewire migrate`.", now)
    if context.engine.dialect.name == "postgresql":
        yield from _find_postgresql_items(context)


def _find_postgresql_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    with reading(context.engine) as db:
        for setting in ("fsync", "full_page_writes"):
            if db.execute(text(f"SHOW {setting}")).scalar() == "off":  # two constants
                headline = f"PostgreSQL has {setting} = off"
                effect = "A power cut may lose events whose hooks have left the inbox."
                to_do = f"Set `{setting} = on` in postgresql.conf."
                yield _build_item(DATABASE, setting, headline, effect, to_do, now)


def _find_clock_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    taken: Any = context.redis.time()
    drift = abs(now / 1e6 - (taken[0] + taken[1] / 1e6))
    if drift > MAX_DRIFT_S:
        headline = f"The clock of {socket.gethostname()} is {drift:.0f} s from Redis's"
        effect = "Waits, leases and the age of hooks are judged by clocks."
        to_do = "Set the clocks of both machines, for instance with chrony."
        yield _build_item(CLOCK, socket.gethostname(), headline, effect, to_do, now)


def _find_disk_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    usage = shutil.disk_usage(context.settings.data_dir)
    if usage.free < min(MIN_FREE_BYTES, MIN_FREE_SHARE * usage.total):
        headline = f"The disk of {socket.gethostname()} is nearly full ({usage.free / 1e9:.1f} GB free)"
        effect = "When it is full, hooks are refused and lost."
        yield _build_item(DISK, socket.gethostname(), headline, effect, "Make room, or a larger disk.", now)


def _find_spool_items(context: Context) -> Iterator[AttentionItem]:
    """Of this machine; one of web's that lies elsewhere is told of by the web process there."""
    now = context.now()
    count, oldest = 0, now
    for path in sorted((context.settings.data_dir / "spool").glob(f"*/{SPOOL_FILE_NAME}")):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)) as db:
            try:
                found, since = db.execute("SELECT count(*), min(received_at) FROM hooks").fetchone()
            except sqlite3.Error:
                continue
        count, oldest = count + found, min(oldest, since or oldest)
    if count and oldest < now - MAX_SPOOL_AGE_US:
        headline = f"{pluralize(count, 'hook')} on the disk of {socket.gethostname()}, not in Redis"
        effect = "They are kept and become events later; if the disk fills, hooks are refused."
        to_do = "See why Redis takes none: `cratewire doctor`."
        yield _build_item(SPOOL, socket.gethostname(), headline, effect, to_do, oldest)


def _build_item(cause: str, subject: str, headline: str, effect: str, to_do: str, since: int) -> AttentionItem:
    return AttentionItem(cause, subject, OPERATOR, headline, effect, to_do, since)


REDIS_CAUSE, DATABASE_CAUSE, CLOCK_CAUSE = (
    Cause(REDIS, _find_redis_items),
    Cause(DATABASE, _find_database_items),
    Cause(CLOCK, _find_clock_items),
)
DISK_CAUSE, SPOOL_CAUSE = Cause(DISK, _find_disk_items), Cause(SPOOL, _find_spool_items)

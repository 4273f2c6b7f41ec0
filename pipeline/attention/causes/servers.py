"""Redis, the database, the clock, the disk and the memory: what does not answer, is nearly full or unsafely set."""

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
from pipeline.inbox.replicas import count_replicas
from pipeline.inbox.spool.queue import SPOOL_FILE_NAME
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.monitoring.rows import OPERATOR
from pipeline.ledger.revision import is_current
from pipeline.monitoring.database_trouble import get_reported_trouble

REDIS, DATABASE, CLOCK, DISK, SPOOL = "redis", "database", "clock", "disk_nearly_full", "spool_in_use"
DATABASE_TROUBLE, MEMORY = "database_trouble", "memory_short"
MIN_TROUBLE_US = 60_000_000  # a lock or a restart is over by then
MAX_DRIFT_S = 5.0
MIN_FREE_BYTES = 1_000_000_000
MIN_FREE_SHARE = 0.1  # of a disk that is small
MAX_MEMORY_SHARE = 0.9  # of Redis's memory
MAX_SPOOL_AGE_US = 60_000_000  # longer than it takes to move hooks from the disk into the inbox once Redis answers
_HOOKS_KEPT = "Hooks are kept on web's disk meanwhile, and become events once it answers."


def _find_redis_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    try:
        facts: Mapping[str, Any] = context.redis.info()
    except (NoConnection, NoAnswer) as error:  # any other error is an answer
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
    yield from _find_missing_replicas(context, facts)
    if (max_bytes := facts.get("maxmemory", 0)) and facts.get("used_memory", 0) > MAX_MEMORY_SHARE * max_bytes:
        effect = "Once it is full, hooks go to web's disk."
        to_do = "See why hooks wait: `cratewire status`; or raise `maxmemory` (CRATEWIRE_VALKEY_MAXMEMORY)."
        yield _build_item(REDIS, "memory", "Redis is nearly full", effect, to_do, now)


def _find_missing_replicas(context: Context, facts: Mapping[str, Any]) -> Iterator[AttentionItem]:
    found, wanted = count_replicas(facts), context.settings.replicas
    if facts.get("role") == "master" and found < wanted:
        headline = f"{found} of {pluralize(wanted, 'replica')} of Redis are connected"
        effect = "Hooks are kept on web's disk meanwhile, and become events once enough replicas confirm them."
        to_do = "Start the replicas, or lower CRATEWIRE_REPLICAS; `cratewire doctor`."
        yield _build_item(REDIS, "replicas", headline, effect, to_do, context.now())


def _find_database_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    try:
        is_migrated = is_current(context.engine)
    except SQLAlchemyError as error:
        headline = f"The database does not answer ({type(error).__name__})"
        effect = "Hooks are kept in Redis meanwhile, and become events once it answers."
        yield _build_item(DATABASE, "away", headline, effect, "Look at DATABASE_URL and the server.", now)
        return
    if not is_migrated:
        headline, effect = "The database is not at the newest revision", "Hooks are kept, and may not become events."
        yield _build_item(DATABASE, "revision", headline, effect, "Run `cratewire migrate`.", now)
    if context.engine.dialect.name == "postgresql":
        yield from _find_postgresql_items(context)


def _find_postgresql_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    with reading(context.engine) as conn:
        for setting in ("fsync", "full_page_writes"):
            if conn.execute(text(f"SHOW {setting}")).scalar() == "off":  # from the two constants above
                headline = f"PostgreSQL has {setting} = off"
                effect = "A power cut may lose events whose hooks have left the inbox."
                to_do = f"Set `{setting} = on` in postgresql.conf."
                yield _build_item(DATABASE, setting, headline, effect, to_do, now)


def _find_clock_items(context: Context) -> Iterator[AttentionItem]:
    now = context.now()
    redis_time: Any = context.redis.time()
    drift = abs(now / 1e6 - (redis_time[0] + redis_time[1] / 1e6))
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
    """The spools of this machine. Those of other machines are reported by the web processes there."""
    now = context.now()
    count, oldest = 0, now
    for path in sorted((context.settings.data_dir / "spool").glob(f"*/{SPOOL_FILE_NAME}")):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)) as conn:
            try:
                found, since = conn.execute("SELECT count(*), min(received_at) FROM hooks").fetchone()
            except sqlite3.Error:
                continue
        count, oldest = count + found, min(oldest, since or oldest)
    if count and oldest < now - MAX_SPOOL_AGE_US:
        headline = f"{pluralize(count, 'hook')} on the disk of {socket.gethostname()}, not in Redis"
        effect = "They are kept and become events later; if the disk fills, hooks are refused."
        to_do = "See why Redis takes none: `cratewire doctor`."
        yield _build_item(SPOOL, socket.gethostname(), headline, effect, to_do, oldest)


def _find_database_trouble(context: Context) -> Iterator[AttentionItem]:
    """Tasks that fail because of the database itself: no hook becomes an event and nothing is sent."""
    trouble = get_reported_trouble(context.redis)
    if trouble is not None and trouble.since + MIN_TROUBLE_US <= context.now():
        effect = "Hooks are kept in the inbox and become events, in their order, as soon as it is fixed."
        headline, tried = (
            f"{trouble.says} ({trouble.code})",
            (f"{trouble.task} keeps trying, and failed again within the last minute.",),
        )
        yield AttentionItem(
            DATABASE_TROUBLE,
            "database",
            OPERATOR,
            headline,
            effect,
            trouble.advice,
            trouble.since,
            tried=tried,
            reason=trouble.code,
        )


def _find_memory_items(context: Context) -> Iterator[AttentionItem]:
    """Processes that the kernel kills because memory is short: they start again, and are killed again."""
    stored: Any = context.redis.hgetall(redis_keys.OOM_KILLS)
    counts = {field.decode(): int(value) for field, value in stored.items()}
    effect = "Their work starts again each time; hooks are kept, and may not be delivered."
    to_do = "Give the machine, the container or the service more memory, or set CRATEWIRE_WORKERS lower."
    for host in sorted({field.rpartition(" ")[0] for field in counts}):
        killed, at = counts.get(f"{host} killed", 0), counts.get(f"{host} at", context.now())
        headline = f"the kernel kills processes on {host} for want of memory: {killed} so far"
        yield _build_item(MEMORY, host, headline, effect, to_do, at)


def _build_item(cause: str, subject: str, headline: str, effect: str, to_do: str, since: int) -> AttentionItem:
    return AttentionItem(cause, subject, OPERATOR, headline, effect, to_do, since)


REDIS_CAUSE, DATABASE_CAUSE, CLOCK_CAUSE = (
    Cause(REDIS, _find_redis_items),
    Cause(DATABASE, _find_database_items),
    Cause(CLOCK, _find_clock_items),
)
DISK_CAUSE, SPOOL_CAUSE = Cause(DISK, _find_disk_items), Cause(SPOOL, _find_spool_items)
DATABASE_TROUBLE_CAUSE, MEMORY_CAUSE = (
    Cause(DATABASE_TROUBLE, _find_database_trouble),
    Cause(MEMORY, _find_memory_items),
)

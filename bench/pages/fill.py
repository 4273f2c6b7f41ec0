"""A large ledger, made by SQL on SQLite and on PostgreSQL alike: copies of one store's real hooks.

Copy n of a row has the id `id * FAR + n`, so that the events of all stores are mixed, as if they had come in turns over
a hundred days. Raw bodies, which only the page of one event reads, are not copied.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis
from sqlalchemy import JSON, ColumnElement, MetaData, insert, select, type_coerce
from sqlalchemy.engine import make_url

from bench.hooks import make_hooks
from bench.in_process import STORE, CpuTimes, create_connected_store, push
from pipeline.context import now_us
from pipeline.infra.compression import NEWEST_DICTIONARY
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import migrate
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.dictionaries import Dictionary
from pipeline.ledger.sql.packed_json import PackedJSON

FAR = 1_000  # more than there are stores
DAYS = 100  # over which the events are spread
_BATCH = 250
_DAY_US = 86_400_000_000
_NEVER_US = 2**62  # later than any time
_TABLES = (
    *("stores", "connections", "lanes", "people", "person_keys", "facts", "gifts", "events", "event_subjects"),
    *("event_people", "deliveries", "introductions", "calls", "delivery_calls"),
    *("attribute_changes", "person_terms", "tracking_numbers"),
)
_MOVED = {"store_id", "connection_id", "event_id", "person_id", "delivery_id", "call_id", "subject_id", "customer_id"}
_NUMBER = "CAST(CAST(t.value AS BIGINT) * {far} + n.value AS TEXT)"
_TEXTS = {
    ("stores", "name"): "t.name || '-' || n.value",
    ("events", "ulid"): "t.ulid || n.value",
    ("events", "receipt"): "t.receipt || n.value",
    ("deliveries", "message_id"): "t.message_id || '-' || n.value",
    ("people", "email"): "n.value || t.email",
    ("person_keys", "value"): f"CASE WHEN t.kind = 'email' THEN n.value || t.value ELSE {_NUMBER} END",
}
# After copying: a hundredth was refused, some wait, some were withheld or kept, a tenth came twice.
_CHANGES = (
    """UPDATE deliveries SET status = 'dead', reason = 'name_too_long'
    WHERE event_id % 97 = 5 AND kind = 'event' AND status = 'sent'""",
    """UPDATE deliveries SET status = 'pending', done_at = NULL
    WHERE event_id > (SELECT max(id) FROM events) - 4000 AND event_id % 2 = 0""",
    "UPDATE deliveries SET status = 'withheld', reason = 'marketplace' WHERE event_id % 211 = 3 AND status = 'sent'",
    "UPDATE events SET outcome = 'recorded' WHERE id % 13 = 4 AND name = 'order_updated'",
    "UPDATE events SET duplicates = 1 WHERE id % 10 = 7",
    "UPDATE events SET source = 'reconcile' WHERE id % 501 = 9",
    """INSERT INTO event_repeats (store_id, event_id, hour, times)
    SELECT store_id, id, received_at / 3600000000, 1 FROM events WHERE duplicates = 1""",
    """INSERT INTO hourly_counts (store_id, hour, outcome, number)
    SELECT store_id, received_at / 3600000000, outcome, count(*) FROM events GROUP BY 1, 2, 3""",
    """INSERT INTO hourly_counts (store_id, hour, outcome, number)
    SELECT store_id, hour, 'duplicate', sum(times) FROM event_repeats GROUP BY 1, 2""",
    """INSERT INTO hourly_counts (store_id, hour, outcome, number)
    SELECT store_id, received_at / 3600000000, 'recovered', count(*) FROM events WHERE source = 'reconcile'
    GROUP BY 1, 2""",
    """INSERT INTO hourly_counts (store_id, hour, outcome, number)
    SELECT store_id, received_at / 3600000000, 'took_05', count(*) FROM events GROUP BY 1, 2""",
    """INSERT INTO daily_counts (store_id, day, outcome, number)
    SELECT store_id, hour / 24, outcome, sum(number) FROM hourly_counts GROUP BY 1, 2, 3""",
    """INSERT INTO total_counts (store_id, name, outcome, number)
    SELECT store_id, name, outcome, count(*) FROM events GROUP BY 1, 2, 3""",
)


@dataclass(frozen=True, slots=True)
class Size:
    """How large a ledger is: so many stores, each with so many events."""

    stores: int
    events_of_store: int


def fill_ledger(url: str, redis: Redis, size: Size, *, packs: bool = True) -> None:
    """Make the ledger at this URL, which is empty. Without `packs` it stores data and messages as JSON."""
    migrate(url)
    with tempfile.TemporaryDirectory(prefix="cratewire-bench-") as home:
        seed = _make_seed(Path(home) / "seed.db", redis, size.events_of_store, packs=packs)
        with _open(url, seed) as db, _without_indexes(db, url):
            known = {table.name: table for table in list_all_tables()}
            for name in ("accounts", *_TABLES):
                if name in known:
                    db.execute(_build_copy(name, list(known[name].c.keys()), size))
            for change in _CHANGES:
                db.execute(change)


def _make_seed(path: Path, redis: Redis, events: int, *, packs: bool) -> Path:
    """One store with real hooks, all of them sent."""
    migrate(url := f"sqlite:///{path}")
    engine = make_engine(url)
    if not packs:
        with writing(engine) as conn:
            conn.execute(insert(Dictionary).values(id=NEWEST_DICTIONARY, content=b"", used_from=_NEVER_US))
    create_connected_store(engine)
    push(engine, redis, [(STORE, hook) for hook in make_hooks(events)], _BATCH, CpuTimes())
    engine.dispose()
    return path


@contextmanager
def _open(url: str, seed: Path) -> Iterator[Any]:
    """A connection whose statements commit by themselves, with the seed's tables as `seed.<table>`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(parsed.database or "", isolation_level=None)) as db:
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000"):
                db.execute(f"PRAGMA {pragma}").fetchall()
            db.execute(f"ATTACH '{seed}' AS seed")
            yield db
        return
    _load_seed(url, seed)
    with psycopg.connect(
        parsed.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as db:
        yield db
        db.execute("DROP SCHEMA seed CASCADE")
        for table in list_all_tables():
            if table.autoincrement_column is not None and table.name in _TABLES:
                db.execute(f"SELECT setval('{table.name}_id_seq', (SELECT max(id) FROM {table.name}))")  # noqa: S608
        db.execute("VACUUM ANALYZE")  # as it does by itself after a while


def _load_seed(url: str, seed: Path) -> None:
    source, target = make_engine(f"sqlite:///{seed}"), make_engine(url)
    with reading(source) as old, writing(target) as new:
        new.exec_driver_sql("CREATE SCHEMA seed")
        for table in list_all_tables():
            if table.name in ("accounts", *_TABLES):
                new.exec_driver_sql(f"CREATE TABLE seed.{table.name} (LIKE public.{table.name})")
                rows = [row._asdict() for row in old.execute(select(*map(_select_as_stored, table.columns)))]
                if rows:
                    new.execute(insert(table.to_metadata(MetaData(), schema="seed")), rows)
    for engine in (source, target):
        engine.dispose()


def _select_as_stored(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column itself: null where the value is packed in the column beside it, which is copied as it is."""
    return type_coerce(column, JSON).label(column.key) if isinstance(column.type, PackedJSON) else column


@contextmanager
def _without_indexes(db: Any, url: str) -> Iterator[None]:
    """Drop the indexes that are no constraints, and make them anew afterwards: that is faster."""
    listed = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    if not url.startswith("sqlite"):
        listed = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'ix_%'"
    indexes = db.execute(listed).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    yield
    for _, statement in indexes:
        db.execute(statement)


def _build_copy(table: str, names: list[str], size: Size) -> str:
    """The statement that copies a table's rows as often as there are stores. All parts of it are constants."""
    changed = _list_changes(table, names, size)
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    numbers = f"WITH RECURSIVE n(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < {size.stores - 1})"  # noqa: S608 constants only
    if table == "accounts":
        return f"INSERT INTO accounts ({', '.join(names)}) SELECT {', '.join(names)} FROM seed.accounts"  # noqa: S608
    return f"INSERT INTO {table} ({', '.join(names)}) {numbers} SELECT {values} FROM seed.{table} t, n"  # noqa: S608


def _list_changes(table: str, names: list[str], size: Size) -> Mapping[str, str]:
    far = {name: f"t.{name} * {FAR} + n.value" for name in names if name in _MOVED or name == "id"}
    texts = {name: value.format(far=FAR) for (of, name), value in _TEXTS.items() if of == table}
    return far | texts | _move_times(table, names, size)


def _move_times(table: str, names: list[str], size: Size) -> dict[str, str]:
    """Times so that the first event is `DAYS` days old and the last one is of now."""
    step = DAYS * _DAY_US // ((size.events_of_store + 2) * FAR)
    began = now_us() - DAYS * _DAY_US
    if table == "events":
        at = f"{began} + (t.id * {FAR} + n.value) * {step}"
        return {name: f"{at} + (t.{name} - t.received_at)" for name in names if name.endswith("_at")}
    if table == "deliveries":
        at = f"{began} + (coalesce(t.event_id, 1) * {FAR} + n.value) * {step}"
        return {"created_at": f"{at} + 100000", "done_at": f"{at} + 400000"}
    return {}

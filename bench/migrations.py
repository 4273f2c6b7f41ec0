"""`python -m bench.migrations`: how long each revision takes, by the rows of the tables that it reads.

A large ledger is made at the newest revision and copied into the tables of an old one, which is then upgraded revision
by revision. The time of each statement counts for the table that it reads. What this prints belongs in
`pipeline/ledger/migrations/costs.py`.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import structlog
from redis import Redis
from sqlalchemy import Connection, Engine, MetaData, Table, inspect, text
from sqlalchemy import event as event_api
from sqlalchemy.engine import make_url

from bench import systems
from bench.chaos.databases import running_postgres
from bench.machine import describe_machine
from bench.pages.fill import Size, fill_ledger
from bench.processes import Folder
from pipeline.ledger.engine import make_engine, working_outside_transactions, writing
from pipeline.ledger.migrations import upgrade
from pipeline.ledger.migrations.costs import GROWING_TABLES, find_table_read
from pipeline.ledger.revision import list_revisions

OLDEST = "0008"  # whose tables are filled: the revisions after it read them
DATABASES = ("sqlite", "postgresql")
LEAST_S = 0.2  # of a statement that is printed although it reads no growing table
_FEW = 10  # of what is invented there is one row for so many events
_INVENTED = {  # the revision that creates them
    "dead_hooks": OLDEST,
    "past_events": "0025",
    "fulfilment_orders": "0039",
    "fulfilment_packages": "0039",
}
_NAMED_VALUES = {"store_id": "(SELECT min(id) FROM stores)", "order_ids": "'[' || n.value || ']'"}
_VALUES = {"BOOLEAN": "false", "BYTEA": "''", "BLOB": "''", "TEXT": "'n' || n.value", "JSON": "'{}'", "SMALLINT": "1"}

Seconds = dict[str, dict[str, float]]  # revision -> table -> seconds per million rows


def measure(url: str, redis: Redis, size: Size) -> tuple[Seconds, dict[str, float]]:
    """Seconds per million rows; and what else took long, in seconds."""
    with _filled_at_oldest(url, redis, size) as engine:
        rows, found, others = _count_rows(engine), defaultdict[str, dict[str, float]](dict), dict[str, float]()
        for revision in [one for one in list_revisions() if one > OLDEST]:
            for table, seconds in _time_statements(engine, revision).items():
                if table in rows:
                    found[revision][table] = round(seconds * 1e6 / rows[table], 2)
                elif seconds >= LEAST_S:
                    others[f"{revision} {table}"] = round(seconds, 2)
            rows |= _invent(engine, revision, size)
        return dict(found), others | _time_rewrite(engine)


@contextmanager
def _filled_at_oldest(url: str, redis: Redis, size: Size) -> Iterator[Engine]:
    """A database whose tables are those of the oldest revision, with all rows of a large ledger."""
    full = Path(make_url(url).database or "").with_suffix(".full") if url.startswith("sqlite") else None
    fill_ledger(f"sqlite:///{full}" if full else url, redis, size, packs=False)
    engine = make_engine(url)
    with engine.connect() as conn:
        if full is None:
            conn.exec_driver_sql("ALTER SCHEMA public RENAME TO filled")
            conn.exec_driver_sql("CREATE SCHEMA public")
            conn.commit()
        upgrade(conn, OLDEST)
    with working_outside_transactions(engine) as driver:
        for statement in _begin_copying(full):
            driver.execute(statement)
        for table in inspect(engine).get_table_names():
            _copy(driver, engine, table)
        driver.commit()
        driver.execute("DETACH filled" if full else "DROP SCHEMA filled CASCADE")
        driver.commit()
        driver.execute("ANALYZE")
    if full:
        full.unlink()
    _invent(engine, OLDEST, size)
    yield engine
    engine.dispose()


def _begin_copying(full: Path | None) -> tuple[str, str]:
    """Make the filled ledger readable, and write without foreign keys."""
    if full is None:
        return "SELECT 1", "SET session_replication_role = replica"
    return f"ATTACH '{full}' AS filled", "PRAGMA foreign_keys = OFF"


def _copy(driver: Any, engine: Engine, table: str) -> None:
    """Copy the rows from the filled ledger, with the columns that both have."""
    if table == "alembic_version":
        return
    if engine.dialect.name == "sqlite":
        newer = {row[1] for row in driver.execute(f"PRAGMA filled.table_info({table})")}
    else:
        listed = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'filled' AND table_name = %s"
        newer = {row[0] for row in driver.execute(listed, (table,))}
    names = ", ".join(f'"{column["name"]}"' for column in inspect(engine).get_columns(table) if column["name"] in newer)
    driver.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM filled.{table}")  # noqa: S608 our own tables


def _invent(engine: Engine, revision: str, size: Size) -> dict[str, int]:
    """Fill the tables of which the large ledger has no rows, once they exist. Returns how many each has."""
    names = [table for table, since in _INVENTED.items() if since == revision]
    count = size.stores * size.events_of_store // _FEW
    for name in names:
        table = Table(name, MetaData(), autoload_with=engine)
        values = {column.name: _value(column) for column in table.columns if not column.nullable}
        if engine.dialect.name == "postgresql":  # which takes no text for JSON
            typed = {column.name: column.type.compile(engine.dialect) for column in table.columns}
            values = {column: f"CAST({value} AS {typed[column]})" for column, value in values.items()}
        query = (
            f"INSERT INTO {name} ({', '.join(values)}) WITH RECURSIVE n(value) AS "  # noqa: S608 our own tables
            f"(SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {count}) "
            f"SELECT {', '.join(values.values())} FROM n"
        )
        with writing(engine) as conn:
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
            else:
                conn.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            conn.execute(text(query))
    return dict.fromkeys(names, count)


def _value(column: Any) -> str:
    """An SQL expression for row n."""
    if column.name in _NAMED_VALUES:
        return _NAMED_VALUES[column.name]
    kind = "JSON" if "JSON" in str(column.type) else type(column.type).__name__.upper()
    return _VALUES.get(kind, "n.value")


def _count_rows(engine: Engine) -> dict[str, int]:
    with engine.connect() as conn:
        tables = GROWING_TABLES & set(inspect(conn).get_table_names())
        counts = {name: conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}  # noqa: S608
    return {name: count for name, count in counts.items() if count}


def _time_statements(engine: Engine, revision: str) -> dict[str, float]:
    """Upgrade to the revision; seconds by the table that a statement reads, or by its first words."""
    spent: dict[str, float] = defaultdict(float)
    began = 0.0

    def begin(*_: object) -> None:
        nonlocal began
        began = time.perf_counter()

    def end(_conn: Connection, _cursor: object, statement: str, *_: object) -> None:
        what = find_table_read(statement) or " ".join(statement.split()[:6])
        spent[what] += time.perf_counter() - began

    with engine.connect() as conn:
        event_api.listen(conn, "before_cursor_execute", begin)
        event_api.listen(conn, "after_cursor_execute", end)
        whole = time.perf_counter()
        upgrade(conn, revision)
        spent["commit and the rest"] = time.perf_counter() - whole - sum(spent.values())
    return spent


def _time_rewrite(engine: Engine) -> dict[str, float]:
    """Seconds per GB of SQLite's file to rewrite it."""
    if engine.dialect.name != "sqlite":
        return {}
    with working_outside_transactions(engine) as driver:
        began = time.perf_counter()
        driver.execute("VACUUM")
        seconds = time.perf_counter() - began
    return {"rewrite of a GB": round(seconds * 1e9 / Path(str(engine.url.database)).stat().st_size, 2)}


@click.command()
@click.option("--events", default=1_000_000, show_default=True, help="Events of the ledger.")
@click.option("--stores", default=20, show_default=True, help="Stores among which they are divided.")
@click.option("--only", type=click.Choice(DATABASES), help="One database instead of both.")
def main(events: int, stores: int, only: str | None) -> None:
    """Print, by database and revision, the seconds that each table takes for a million of its rows."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    size = Size(stores, events // stores)
    print(f"{events} events, {describe_machine()}")
    for name in (only,) if only else DATABASES:
        with (
            tempfile.TemporaryDirectory(prefix="cratewire-bench-") as folder,
            systems.redis(Folder(Path(folder) / "redis")) as redis,
            _database(name, Path(folder)) as url,
        ):
            found, others = measure(url, redis, size)
        print(json.dumps({name: found, "others": others}, indent=1))


@contextmanager
def _database(name: str, folder: Path) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{folder / 'cratewire.db'}"
        return
    with running_postgres(folder, syncs=True) as (url, _):
        yield url


if __name__ == "__main__":
    main()

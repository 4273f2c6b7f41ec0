"""`python -m bench.disk`: the bytes of disk that an event takes in the ledger, by table and by index.

Hooks are recorded and delivered by the real code, in one process, to a platform that accepts everything. SQLite's file
is read by `dbstat`, PostgreSQL's by the sizes of its relations; neither database's write-ahead log is counted.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import structlog
from redis import Redis
from sqlalchemy import Engine

from bench import systems
from bench.chaos.databases import is_postgres_installed, running_postgres
from bench.hooks import Hook, make_hooks
from bench.in_process import STORE, CpuTimes, create_connected_store, push
from bench.processes import Folder
from pipeline.ledger.engine import make_engine, working_outside_transactions
from pipeline.ledger.migrations import migrate
from pipeline.settings import VARIABLES

BATCH: int = VARIABLES["batch"].default
DATABASES = ("sqlite", "postgresql")
_VACUUMS = 10
_LEAST_BYTES = 1.0  # of a table and its indexes, of an event; the rest is added up in one row
_SQLITE = """
    SELECT coalesce(m.tbl_name, s.name), s.name, sum(s.pgsize)
    FROM dbstat s LEFT JOIN sqlite_master m ON m.name = s.name GROUP BY 1, 2
"""
_POSTGRESQL = """
    SELECT t.relname, t.relname, pg_table_size(t.oid) FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relkind = 'r' AND n.nspname = 'public'
    UNION ALL
    SELECT t.relname, i.relname, pg_relation_size(i.oid) FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public'
"""

Sizes = dict[str, dict[str, int]]  # table -> table or index -> bytes


def measure_databases(events: int, names: tuple[str, ...] = DATABASES) -> dict[str, Any]:
    """By database, what `measure` says; and how many hooks were recorded, and the bytes of their bodies."""
    hooks = make_hooks(events)
    sent = sum(len(hook.body) for hook in hooks) / len(hooks)
    with (
        tempfile.TemporaryDirectory(prefix="cratewire-bench-") as folder,
        systems.redis(Folder(Path(folder) / "redis")) as redis,
        _databases(Path(folder), names) as urls,
    ):
        by_database = {name: measure(url, redis, hooks) for name, url in urls.items()}
    return {"events": events, "body_bytes": sent, "databases": by_database}


def measure(url: str, redis: Redis, hooks: list[Hook]) -> dict[str, Any]:
    """Record and deliver the hooks into the empty database of this URL; what an event takes of CPU and disk."""
    migrate(url)
    engine = make_engine(url)
    try:
        create_connected_store(engine)
        empty, spent = _read_sizes(engine), CpuTimes()
        part = max(BATCH, len(hooks) // _VACUUMS)
        for start in range(0, len(hooks), part):
            push(engine, redis, [(STORE, hook) for hook in hooks[start : start + part]], BATCH, spent)
            _vacuum(engine)
        return _divide(_read_sizes(engine), empty, len(hooks), spent)
    finally:
        engine.dispose()


def _vacuum(engine: Engine) -> None:
    """Let PostgreSQL use the space of old versions of rows again, as autovacuum does by itself."""
    if engine.dialect.name == "postgresql":
        with working_outside_transactions(engine) as driver:
            driver.execute("VACUUM")


def _read_sizes(engine: Engine) -> Sizes:
    """The bytes of each table and index."""
    sizes: Sizes = defaultdict(dict)
    with working_outside_transactions(engine) as driver:
        query = _SQLITE if engine.dialect.name == "sqlite" else _POSTGRESQL
        for table, name, size in driver.execute(query).fetchall():
            sizes[table][name] = int(size)
    return sizes


def _divide(full: Sizes, empty: Sizes, count: int, spent: CpuTimes) -> dict[str, Any]:
    grown = {
        table: {name: (size - empty.get(table, {}).get(name, 0)) / count for name, size in parts.items()}
        for table, parts in full.items()
    }
    total = sum(sum(parts.values()) for parts in grown.values())
    cpu = {stage: 1_000 * seconds / count for stage, seconds in spent.seconds.items()}
    return {"bytes_per_event": total, "tables": grown, "cpu_ms_per_hook": cpu}


@contextmanager
def _databases(home: Path, names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    urls = {"sqlite": f"sqlite:///{home / 'cratewire.db'}"} if "sqlite" in names else {}
    if "postgresql" in names and is_postgres_installed():
        with running_postgres(home) as (url, _):
            yield urls | {"postgresql": url}
    else:
        yield urls


def _list_rows(found: dict[str, Any], *, shows_indexes: bool) -> Iterator[str]:
    rest = 0.0
    for table, parts in sorted(found["tables"].items(), key=lambda item: -sum(item[1].values())):
        if (size := sum(parts.values())) < _LEAST_BYTES:
            rest += size
            continue
        indexes = size - parts.get(table, 0.0)
        yield f"| {table} | {parts.get(table, 0.0):.0f} | {indexes:.0f} | {size:.0f} |"
        if shows_indexes:
            for name, one in sorted(parts.items(), key=lambda item: -item[1]):
                if name != table and one >= _LEAST_BYTES:
                    yield f"| · {name} | | {one:.0f} | |"
    yield f"| others | | | {rest:.0f} |"
    yield f"| **all** | | | **{found['bytes_per_event']:.0f}** |"


@click.command()
@click.option("--events", default=10_000, show_default=True, help="Hooks to record and deliver.")
@click.option("--only", type=click.Choice(DATABASES), help="One database instead of both.")
@click.option("--indexes", is_flag=True, help="List each index.")
@click.option("--json", "as_json", is_flag=True, help="Print figures instead of tables.")
def main(events: int, only: str | None, indexes: bool, as_json: bool) -> None:  # noqa: FBT001 click passes them by name
    """Say how many bytes of disk an event takes, by table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    found = measure_databases(events, (only,) if only else DATABASES)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for name, figures in found["databases"].items():
        cpu = ", ".join(f"{stage} {ms:.2f}" for stage, ms in figures["cpu_ms_per_hook"].items())
        print(f"\n{name}: {events} events of {found['body_bytes']:.0f} bytes; ms of CPU for a hook: {cpu}\n")
        print("| table | rows | indexes | bytes of an event |\n| --- | --- | --- | --- |")
        print("\n".join(_list_rows(figures, shows_indexes=indexes)))


if __name__ == "__main__":
    main()

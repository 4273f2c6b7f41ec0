"""What a migration will do and about how long it takes, before it begins.

An estimate is the number of rows in this ledger times what a million rows took when it was measured
(`pipeline.ledger.migrations.costs`): another disk or processor takes another time, but hours differ from seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.migrations.costs import COSTS, REWRITE_S_PER_GB
from pipeline.ledger.revision import TABLE, list_revisions
from pipeline.ledger.vacuum import can_give_back

NOTICEABLE_S = 1.0  # below, a revision is only counted
_FOLDER = Path(__file__).parent
_MILLION, _GB = 1e6, 1e9
_MINUTE_S = 60
_ESTIMATED_ROWS = """
    SELECT c.relname, CAST(greatest(c.reltuples, s.n_live_tup, 0) AS BIGINT)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
    WHERE n.nspname = current_schema() AND c.relkind = 'r'
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One revision that a database lacks."""

    revision: str
    says: str  # the first sentence of its file
    rows: Mapping[str, int] = field(default_factory=dict)  # of the growing tables that it reads
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The revisions that a database lacks, in their order."""

    revision: str | None  # that it has; None: it is new
    steps: tuple[Step, ...]
    rewritten_bytes: int = 0  # of SQLite's file, if it has to be written anew once
    rewrite_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return sum(step.seconds for step in self.steps) + self.rewrite_seconds


def read_plan(url: str) -> Plan:
    """What `migrate` would do with this database, which is only read; a SQLite file that does not exist stays so.

    Raises Misconfigured if it was migrated by a newer version.
    """
    engine = make_engine(url)
    try:
        path = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
        if path is not None and not path.exists():
            return Plan(None, estimate_steps(list_revisions(), {}, "sqlite"))
        with reading(engine) as conn:
            revision = _read_revision(conn)
            missing = [one for one in list_revisions() if revision is None or one > revision]
            rows = _count_rows(conn, {table for one in missing for table in COSTS.get(one, {})}) if revision else {}
        size = path.stat().st_size if path and revision and not can_give_back(engine) else 0
        steps = estimate_steps(missing, rows, engine.dialect.name)
        return Plan(revision, steps, size, size * REWRITE_S_PER_GB / _GB)
    finally:
        engine.dispose()


def estimate_steps(revisions: Collection[str], rows: Mapping[str, int], dialect: str) -> tuple[Step, ...]:
    """What these revisions take in a database whose growing tables have so many rows."""
    return tuple(_build_step(one, rows, dialect, says) for one, says in _read_sentences(revisions))


def describe_plan(plan: Plan) -> Iterator[str]:
    """Say in sentences what follows and how long it takes. Nothing for a new database, and if nothing follows."""
    if plan.revision is None or not plan.steps:
        return
    count = len(plan.steps)
    noun = "revision follows" if count == 1 else "revisions follow"
    yield f"The database is at revision {plan.revision}; {count} {noun}, up to {plan.steps[-1].revision}."
    long = [step for step in plan.steps if step.seconds >= NOTICEABLE_S]
    for step in long:
        read = ", ".join(f"{rows:,} rows of {table}" for table, rows in step.rows.items())
        yield f"  {step.revision}, {format_estimate(step.seconds)} ({read}): {step.says}"
    if others := count - len(long):
        yield f"{_name_others(others, bool(long))} no noticeable time."
    if long or plan.rewritten_bytes:
        rewrite = f", in which the file of {plan.rewritten_bytes / _GB:.1f} GB is rewritten once"
        yield (
            f"All of it takes {format_estimate(plan.seconds)}{rewrite if plan.rewritten_bytes else ''}, by what was "
            f"measured with a million events (docs/upgrade.md). Hooks are stored meanwhile, and recorded afterwards."
        )


def _name_others(count: int, has_long: bool) -> str:  # noqa: FBT001 it is the question
    if has_long:
        return "The other takes" if count == 1 else f"The other {count} take"
    return "It takes" if count == 1 else "They take"


def format_estimate(seconds: float) -> str:
    """A duration as rough as it is known."""
    if seconds < _MINUTE_S:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / _MINUTE_S)} min"


def _read_revision(conn: Connection) -> str | None:
    if not inspect(conn).has_table(TABLE):
        return None
    found: str | None = conn.exec_driver_sql(f"SELECT version_num FROM {TABLE}").scalar()  # noqa: S608 a constant
    if found is not None and found not in list_revisions():
        raise Misconfigured(f"the database was migrated by a newer version of Cratewire: it is at revision {found}")
    return found


def _count_rows(conn: Connection, tables: Collection[str]) -> dict[str, int]:
    """How many rows these tables have. From PostgreSQL's statistics: a count would wait for a migration that runs."""
    if conn.dialect.name == "postgresql":
        return {name: count for name, count in conn.exec_driver_sql(_ESTIMATED_ROWS) if name in tables}
    existing = sorted(set(inspect(conn).get_table_names()) & set(tables))
    return {name: conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in existing}  # noqa: S608 our own tables


def _build_step(revision: str, rows: Mapping[str, int], dialect: str, says: str) -> Step:
    costs = {table: by[dialect] for table, by in COSTS.get(revision, {}).items() if rows.get(table) and dialect in by}
    seconds = sum(rows[table] * cost / _MILLION for table, cost in costs.items())
    return Step(revision, says, {table: rows[table] for table in costs}, seconds)


def _read_sentences(revisions: Collection[str]) -> Iterator[tuple[str, str]]:
    """The first sentence of each revision's file."""
    scripts = ScriptDirectory(str(_FOLDER))
    for one in revisions:
        yield one, f"{scripts.get_revision(one).doc.partition('. ')[0].rstrip('.')}."

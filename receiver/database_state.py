"""What the doctor says of the database: whether it is the right one, can be written, and keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.migrations import is_current
from pipeline.ledger.tables import Base, Fence
from pipeline.ledger.trouble import Trouble, trouble_of
from pipeline.ledger.upsert import insert_into
from pipeline.settings import Settings
from receiver.finding import Finding

MARK = "doctor"  # the row we write to see whether rows can be written
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_LOOK = "Look at DATABASE_URL and the server."
_GRANT = "`GRANT {right} ON {name} TO` the user of DATABASE_URL, as the owner of the tables."
# Settings of PostgreSQL without which a commit does not survive a power cut, and why.
_DURABLE = {
    "fsync": "Set `fsync = on` in postgresql.conf: a power cut may destroy the whole database.",
    "full_page_writes": "Set `full_page_writes = on` in postgresql.conf: a power cut may leave half-written pages.",
}


def look_at_database(settings: Settings) -> Iterator[Finding]:
    """Every finding about the database."""
    try:
        engine = make_engine(settings.database_url)
    except Misconfigured as error:
        yield Finding("database", "wrong", str(error), _LOOK)
        return
    try:
        yield from _findings(engine)
    except Misconfigured as error:  # it was refused as it was opened, and the sentence says what to do
        says, _, advice = str(error).partition(": ")
        yield Finding("database", "wrong", says, f"{advice[:1].upper()}{advice[1:]}.")
    except SQLAlchemyError as error:
        yield _in_trouble(error)
    finally:
        engine.dispose()


def _findings(engine: Engine) -> Iterator[Finding]:
    if not is_current(engine):
        yield Finding("database", "wrong", "not at the newest revision", "Run `cratewire migrate`.")
        return
    try:
        with writing(engine) as db:
            _write(db)
    except SQLAlchemyError as error:
        yield _in_trouble(error)
    else:
        yield from _lacking(engine)
    if engine.dialect.name == "postgresql":
        yield from _durability(engine)


def _write(db: Connection) -> None:
    """Write a row of our own, which nothing reads."""
    mark = insert_into(db, Fence).values(name=MARK, token=1)
    db.execute(mark.on_conflict_do_update(index_elements=["name"], set_={"token": Fence.token + 1}))


def _lacking(engine: Engine) -> Iterator[Finding]:
    """The first right that the user lacks on a table or a sequence, or that there is none."""
    with reading(engine) as db:
        missing = _missing_right(db) if db.dialect.name == "postgresql" else None
    if missing is None:
        yield Finding("database", "ok", f"{engine.dialect.name}, newest revision, can be written")
    else:
        right, name = missing
        place = f"SEQUENCE {name}" if right == "USAGE" else name
        advice = _GRANT.format(right=right, name=place)
        yield Finding("database", "wrong", f"its user lacks {right} on {name}", advice)


def _missing_right(db: Connection) -> tuple[str, str] | None:
    wanted = "VALUES " + ", ".join(f"('{name}')" for name in sorted(Base.metadata.tables))
    rights = "VALUES " + ", ".join(f"('{right}')" for right in RIGHTS)
    of_tables = text(
        f'SELECT r."right", t.name FROM ({wanted}) AS t(name), ({rights}) AS r("right") '  # noqa: S608 names of ours
        'WHERE NOT has_table_privilege(quote_ident(t.name), r."right") ORDER BY 2, 1 LIMIT 1'
    )
    of_sequences = text(
        "SELECT 'USAGE', sequencename FROM pg_sequences WHERE schemaname = current_schema() "
        "AND NOT has_sequence_privilege(quote_ident(sequencename), 'USAGE') ORDER BY 2 LIMIT 1"
    )
    for question in (of_tables, of_sequences):
        if (found := db.execute(question).first()) is not None:
            return found[0], found[1]
    return None


def _durability(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as db:
        shown = {name: db.execute(select(text(f"current_setting('{name}')"))).scalar_one() for name in _DURABLE}
    off = [name for name, value in shown.items() if value != "on"]
    for name in off:
        yield Finding("database durability", "wrong", f"{name} is {shown[name]}", _DURABLE[name])
    if not off:
        yield Finding("database durability", "ok", "a commit is on disk")


def _in_trouble(error: SQLAlchemyError) -> Finding:
    trouble = trouble_of(error) or Trouble("", f"no answer ({type(error).__name__})", _LOOK)
    why = " ".join(filter(None, (trouble.code, trouble.detail)))
    return Finding("database", "wrong", f"{trouble.says} ({why})" if why else trouble.says, trouble.advice)

"""Checks the database: its revision, write access and durability, and whether the secret key fits its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.faults import DatabaseFault, classify_database_error
from pipeline.ledger.revision import is_current
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.fences import Fence
from pipeline.ledger.sql.tables import insert_into
from pipeline.operations.reencrypt import count_undecryptable, count_without_row, was_reencrypted
from pipeline.settings import Settings
from receiver.doctor.finding import Finding
from receiver.pages.auth.keys import count_unbound_second_factors

T = TypeVar("T")


def query_ledger(settings: Settings, query: Callable[[Connection], T]) -> T | None:
    """Return the query's result; None if the database is unavailable, at another revision, or misconfigured."""
    engine = make_engine(settings.database_url)
    try:
        if not is_current(engine):
            return None
        with reading(engine) as conn:
            return query(conn)
    except (SQLAlchemyError, Misconfigured):
        return None
    finally:
        engine.dispose()


PROBE_ROW = "doctor"  # the row written to test write access
REQUIRED_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
_SERVER_ADVICE = "Check DATABASE_URL and the server."
_GRANT_ADVICE = "`GRANT {right} ON {name} TO` the user of DATABASE_URL, as the owner of the tables."
# PostgreSQL settings without which a commit may not survive a power failure, and what to do.
_DURABILITY_ADVICE = {
    "fsync": "Set `fsync = on` in postgresql.conf: a power failure may destroy the whole database.",
    "full_page_writes": "Set `full_page_writes = on` in postgresql.conf: a power failure may leave half-written pages.",
}


def check_database(settings: Settings) -> Iterator[Finding]:
    """Yield every finding about the database."""
    try:
        engine = make_engine(settings.database_url)
    except Misconfigured as error:
        yield Finding("database", "wrong", str(error), _SERVER_ADVICE)
        return
    try:
        yield from _check_engine(engine)
    except Misconfigured as error:  # opening it was refused; the message says what to do
        says, _, advice = str(error).partition(": ")
        yield Finding("database", "wrong", says, f"{advice[:1].upper()}{advice[1:]}.")
    except SQLAlchemyError as error:
        yield _build_error_finding(error)
    finally:
        engine.dispose()


def _check_engine(engine: Engine) -> Iterator[Finding]:
    if not is_current(engine):
        yield Finding("database", "wrong", "not at the latest revision", "Run `cratewire migrate`.")
        return
    try:
        with writing(engine) as conn:
            _write_probe_row(conn)
    except SQLAlchemyError as error:
        yield _build_error_finding(error)
    else:
        yield from _check_privileges(engine)
    if engine.dialect.name == "postgresql":
        yield from _check_durability(engine)


def _write_probe_row(conn: Connection) -> None:
    """Write a row that nothing reads."""
    insert = insert_into(conn, Fence).values(name=PROBE_ROW, token=1)
    conn.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"token": Fence.token + 1}))


def _check_privileges(engine: Engine) -> Iterator[Finding]:
    """Report the first privilege that the user lacks on a table or a sequence, or that none is missing."""
    with reading(engine) as conn:
        missing = _find_missing_privilege(conn) if conn.dialect.name == "postgresql" else None
    if missing is None:
        yield Finding("database", "ok", f"{engine.dialect.name}, latest revision, can be written")
    else:
        right, name = missing
        place = f"SEQUENCE {name}" if right == "USAGE" else name
        advice = _GRANT_ADVICE.format(right=right, name=place)
        yield Finding("database", "wrong", f"its user lacks {right} on {name}", advice)


def _find_missing_privilege(conn: Connection) -> tuple[str, str] | None:
    wanted = "VALUES " + ", ".join(f"('{name}')" for name in sorted(table.name for table in list_all_tables()))
    rights = "VALUES " + ", ".join(f"('{right}')" for right in REQUIRED_PRIVILEGES)
    missing_on_tables = text(
        f'SELECT r."right", t.name FROM ({wanted}) AS t(name), ({rights}) AS r("right") '  # noqa: S608 names of ours
        'WHERE NOT has_table_privilege(quote_ident(t.name), r."right") ORDER BY 2, 1 LIMIT 1'
    )
    missing_on_sequences = text(
        "SELECT 'USAGE', sequencename FROM pg_sequences WHERE schemaname = current_schema() "
        "AND NOT has_sequence_privilege(quote_ident(sequencename), 'USAGE') ORDER BY 2 LIMIT 1"
    )
    for query in (missing_on_tables, missing_on_sequences):
        if (found := conn.execute(query).first()) is not None:
            return found[0], found[1]
    return None


def _check_durability(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as conn:
        values = {
            name: conn.execute(select(text(f"current_setting('{name}')"))).scalar_one() for name in _DURABILITY_ADVICE
        }
    off = [name for name, value in values.items() if value != "on"]
    for name in off:
        yield Finding("database durability", "wrong", f"{name} is {values[name]}", _DURABILITY_ADVICE[name])
    if not off:
        yield Finding("database durability", "ok", "commits are durable")


def _build_error_finding(error: SQLAlchemyError) -> Finding:
    fault = classify_database_error(error) or DatabaseFault("", f"no answer ({type(error).__name__})", _SERVER_ADVICE)
    cause = " ".join(filter(None, (fault.code, fault.detail)))
    return Finding("database", "wrong", f"{fault.says} ({cause})" if cause else fault.says, fault.advice)


WRONG_KEY_ADVICE = (
    "Set CRATEWIRE_SECRET_KEY to the key they were saved with, or put the file `secret_key` back into the data "
    "directory, and restart everything: Cratejoy's hooks are refused with 404 until then, and lost. If that key is "
    "gone, `cratewire connect` each store again."
)


def check_encrypted_values(settings: Settings) -> Iterator[Finding]:
    """Report encrypted values that name no row. Yields nothing if the database is unavailable."""
    found = query_ledger(settings, lambda conn: _check_encrypted_values(conn, settings.secret_keys))
    if found is not None:
        yield found


def _check_encrypted_values(conn: Connection, secret_keys: Sequence[str]) -> Finding:
    name = "encrypted values"
    without_row = count_without_row(conn, secret_keys) + count_unbound_second_factors(conn)
    if not without_row:
        return Finding(name, "ok", "each says which row it belongs to")
    if was_reencrypted(conn):
        says = f"{without_row} do not say which row they belong to, although `cratewire reseal` was run"
        return Finding(name, "wrong", says, "They were put there since: check them, then run `cratewire reseal`.")
    says = f"{without_row} of an earlier version do not say which row they belong to"
    return Finding(name, "note", says, "Run `cratewire reseal`.")


def check_secret_key(settings: Settings) -> Iterator[Finding]:
    """Check that the secret key decrypts the saved credentials. Yields nothing if the database is unavailable."""
    found = query_ledger(settings, lambda conn: count_undecryptable(conn, settings.secret_keys))
    if found is None:
        return
    undecryptable, saved = found
    if undecryptable:
        yield Finding(
            "secret key",
            "wrong",
            f"opens {saved - undecryptable} of {saved} credentials that are saved",
            WRONG_KEY_ADVICE,
        )
    else:
        yield Finding("secret key", "ok", "opens all that is saved" if saved else "nothing is saved yet")

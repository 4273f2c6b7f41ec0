"""Classifies database errors: is the database itself at fault, what is wrong with it, and what to do.

Only errors about values (SQLSTATE classes 22 and 23, and SQLite's equivalents) can be caused by the rows that were to
be written. Every other error, from a lost connection to a missing right, would hit the next write as well.
"""

from __future__ import annotations

import sqlite3
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class DatabaseFault:
    """What is wrong with the database. `code`: the driver's, or a text of ours where it has none. `detail`: the
    server's own message, which names tables and rights and never values.
    """

    code: str
    says: str
    advice: str
    detail: str = ""


_Explanation = tuple[str, str]  # what is wrong, what to do

_UNREACHABLE: _Explanation = ("the database cannot be reached", "Check DATABASE_URL and the server.")
_MIGRATION_MISSING: _Explanation = ("the database does not have the tables of this version", "Run `cratewire migrate`.")
_READ_ONLY: _Explanation = (
    "the database takes no writes",
    "It is a standby, or `default_transaction_read_only` is on: set DATABASE_URL to the primary, or switch that off.",
)
_DISK_FULL: _Explanation = ("the database's disk is full", "Free some space; processing resumes by itself.")
_LOCKED: _Explanation = (
    "another program holds a lock on the database",
    "Find the program that holds it for so long, and end it.",
)
_DAMAGED: _Explanation = (
    "the database is damaged or its disk fails",
    "Check the disk; restore the database from a backup.",
)
_REFUSED: _Explanation = (
    "the database refuses a statement of this version",
    "The workers' logs say which error it is.",
)

# The longest matching prefix of the SQLSTATE decides.
_BY_SQLSTATE: dict[str, _Explanation] = {
    "": _REFUSED,
    "08": _UNREACHABLE,
    "25006": _READ_ONLY,
    "26": (
        "a prepared statement is gone: a pooler changes sessions",
        "Set DATABASE_URL to a pooler in transaction mode, and leave prepared statements off in it.",
    ),
    "28": ("the database refuses the user of DATABASE_URL", "Check user and password in DATABASE_URL."),
    "3D": ("there is no database of the name in DATABASE_URL", "Create it with `createdb --encoding=UTF8 NAME`."),
    "3F": _MIGRATION_MISSING,
    "40": _LOCKED,
    "42501": (
        "the user of DATABASE_URL lacks a right",
        "GRANT it SELECT, INSERT, UPDATE and DELETE on all tables and USAGE on all sequences of Cratewire's schema.",
    ),
    "42703": _MIGRATION_MISSING,
    "42P01": _MIGRATION_MISSING,
    "53": ("the database server lacks memory or connections", "Give the server more, or let fewer processes use it."),
    "53100": _DISK_FULL,
    "54": ("a limit of the database was reached", "The workers' logs say which."),
    "55": _LOCKED,
    "57": ("the database was stopped, or takes too long", "Check the server and its log."),
    "58": _DAMAGED,
    "XX": _DAMAGED,
}
_BY_SQLITE_CODE: dict[int, _Explanation] = {
    sqlite3.SQLITE_ERROR: _MIGRATION_MISSING,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: ("the database takes no writes", "Let this user write to its file and directory."),
    sqlite3.SQLITE_FULL: _DISK_FULL,
    sqlite3.SQLITE_IOERR: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: ("the database cannot be opened", "Check its file, its directory and their permissions."),
}
_VALUE_ERROR_CLASSES = ("22", "23")  # data exceptions and constraint violations
_SQLITE_VALUE_ERRORS = (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG)
_PRIMARY_CODE_MASK = 0xFF  # SQLite's extended codes carry more above this
_CLOSED_TEXT = "Cannot operate on a closed"  # sqlite3 has no code for it


def classify_database_error(error: BaseException) -> DatabaseFault | None:
    """What is wrong with the database; None if the error is about values, or not a database's."""
    if isinstance(error, NoConnectionFree):
        return DatabaseFault("no connection free", "the database answers too slowly", "Check the server and its log.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return DatabaseFault(getattr(cause, "sqlstate", None) or "connection lost", *_UNREACHABLE)
    if (driver := sys.modules.get("psycopg")) and isinstance(cause, driver.Error):  # imported where it is used
        return _classify_postgresql(cause)
    return _classify_sqlite(cause) if isinstance(cause, sqlite3.Error) else None


def _classify_postgresql(error: psycopg.Error) -> DatabaseFault | None:
    state = error.sqlstate
    if state is None:  # raised by the driver: about a connection, a value, or a wrong call of ours
        import psycopg  # noqa: PLC0415  it is imported by now, and commands on SQLite need not import it

        is_lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return DatabaseFault("connection lost", *_UNREACHABLE) if is_lost else None
    if state.startswith(_VALUE_ERROR_CLASSES):
        return None
    lengths = range(len(state), -1, -1)
    explanation = next(_BY_SQLSTATE[state[:length]] for length in lengths if state[:length] in _BY_SQLSTATE)
    return DatabaseFault(state, *explanation, error.diag.message_primary or "")


def _classify_sqlite(error: sqlite3.Error) -> DatabaseFault | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return DatabaseFault("connection closed", *_UNREACHABLE) if str(error).startswith(_CLOSED_TEXT) else None
    if code & _PRIMARY_CODE_MASK in _SQLITE_VALUE_ERRORS:
        return None
    return DatabaseFault(error.sqlite_errorname, *_BY_SQLITE_CODE.get(code & _PRIMARY_CODE_MASK, _REFUSED), str(error))

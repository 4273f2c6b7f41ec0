"""Migrates as soon as the database can be migrated: a server that is away, or a disk that is full, is waited for."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import Misconfigured
from pipeline.ledger.migrations import migrate
from pipeline.settings import Settings

MAX_RETRY_DELAY_S = 5.0
_REFUSED_TEXT = "password authentication failed"  # as the server says it; libpq passes no code on


def migrate_when_ready(settings: Settings, report: Callable[[str], None], sleep: Callable[[float], None]) -> str:
    """The newest revision, once the database has it. `tell` hears of each other cause of waiting once.

    Raises Misconfigured for what does not change by waiting: a password that is refused, a database that this
    version cannot use.
    """
    told = ""
    for tries in itertools.count():
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            return migrate(settings.database_url)
        except (SQLAlchemyError, OSError) as error:
            if _is_refused(error):
                message = "the database refuses the user or the password of DATABASE_URL: correct it and start again"
                raise Misconfigured(message) from error
            cause = _describe_cause(error)
        if cause != told:
            report(
                f"the database cannot be migrated yet ({cause}); trying until it can: look at DATABASE_URL, the server "
                "and its disk"
            )
            told = cause
        sleep(min(MAX_RETRY_DELAY_S, 2.0**tries / 2))
    raise AssertionError("an endless loop has ended")


def _is_refused(error: Exception) -> bool:
    """Whether PostgreSQL refused the password, or wants one and was given none."""
    cause = getattr(error, "orig", None)
    needs_password = getattr(getattr(cause, "pgconn", None), "needs_password", False)
    return bool(needs_password) or _REFUSED_TEXT in str(cause)


def _describe_cause(error: Exception) -> str:
    """What may be said of it: its kind, and the code by which the server or the system names it."""
    cause = getattr(error, "orig", None) or error
    code = (
        getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or getattr(cause, "strerror", None)
    )
    return " ".join(filter(None, (type(cause).__name__, code)))

"""Asks the ledger something for the doctor, who has a finding of its own for one that cannot be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import make_engine, reading
from pipeline.ledger.migrations import is_current
from pipeline.settings import Settings

T = TypeVar("T")


def query_ledger(settings: Settings, query: Callable[[Connection], T]) -> T | None:
    """The answer; None if the database is away, of another version, or none that we use."""
    engine = make_engine(settings.database_url)
    try:
        if not is_current(engine):
            return None
        with reading(engine) as db:
            return query(db)
    except (SQLAlchemyError, Misconfigured):
        return None
    finally:
        engine.dispose()

"""Which hook addresses of which stores were replaced, as of the last look at the ledger.

Hooks are judged by it before anything is done for them. A database that is away revokes nothing and restores nothing:
what was known stays known, and what is not known is judged when it is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection as Database
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.ledger.engine import reading
from pipeline.ledger.schema.core import Store

log = structlog.get_logger(__name__)

REFRESH_INTERVAL_S = 3.0  # between two looks: a rotation is known in every process within ten seconds


@dataclass(frozen=True, slots=True)
class TokenVersion:
    """The version of a store's hook addresses, and until when (µs) the one before is good."""

    version: int
    old_until: int | None

    def has_revoked(self, version: int, received_at: int) -> bool:
        """Whether an address of this version was replaced before then. A newer one may be newer than the last look."""
        in_grace = version == self.version - 1 and received_at < (self.old_until or 0)
        return version < self.version and not in_grace


class RevocationCache:
    """What one process knows. `clock` is in seconds and only grows."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._look_at = float("-inf")
        self._issued: Mapping[str, TokenVersion] = {}
        self._away = False

    def is_revoked(self, store: str, version: int, received_at: int) -> bool:
        """Whether a hook that came then came to an address that was replaced. Asks no database."""
        issued = self._issued.get(store)
        return issued is not None and issued.has_revoked(version, received_at)

    def look(self) -> None:
        """Ask the ledger, unless that was done a moment ago."""
        if self._clock() < self._look_at:
            return
        try:
            with reading(self._engine) as db:
                self._issued = load_token_versions(db)
        except SQLAlchemyError as error:
            if not self._away:
                log.warning("revoked hook addresses are not known for now", error=type(error).__name__)
            self._away = True
        else:
            self._away = False
        self._look_at = self._clock() + REFRESH_INTERVAL_S


def load_token_versions(conn: Database) -> dict[str, TokenVersion]:
    """Store -> what it was issued. Only stores whose addresses were ever replaced."""
    columns = Store.name, Store.token_version, Store.old_token_until
    return {
        row[0]: TokenVersion(row[1], row[2]) for row in conn.execute(select(*columns).where(Store.token_version > 1))
    }

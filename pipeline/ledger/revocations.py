"""Knows which hook URLs of which stores were revoked, as of the last refresh from the ledger.

Hooks are checked against it before they are processed. While the database is unavailable, what was known remains in
force; hooks whose revocation is not known yet are checked again when they are recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from pipeline.ledger.engine import reading
from pipeline.ledger.removals import load_removed_versions
from pipeline.ledger.schema.core import Store

log = structlog.get_logger(__name__)

REFRESH_INTERVAL_S = 3.0  # so a rotation is known in every process within ten seconds


@dataclass(frozen=True, slots=True)
class TokenVersion:
    """The version of a store's hook URLs, and until when (µs) the previous version is valid."""

    version: int
    old_valid_until: int | None

    def has_revoked(self, version: int, received_at: int) -> bool:
        """Whether URLs of this version were revoked by then. A greater version may be newer than the last refresh."""
        in_grace = version == self.version - 1 and received_at < (self.old_valid_until or 0)
        return version < self.version and not in_grace


class RevocationCache:
    """The revocations known to one process. `clock` is in seconds and monotonic."""

    def __init__(self, engine: Engine, clock: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._refresh_at = float("-inf")
        self._token_versions: Mapping[str, TokenVersion] = {}
        self._is_ledger_away = False

    def is_revoked(self, store: str, version: int, received_at: int) -> bool:
        """Whether the URL of a hook that was received then had been revoked. Does not query the database."""
        current = self._token_versions.get(store)
        return current is not None and current.has_revoked(version, received_at)

    def refresh_if_due(self) -> None:
        """Load the token versions from the ledger, unless that was done a moment ago."""
        if self._clock() < self._refresh_at:
            return
        try:
            with reading(self._engine) as conn:
                self._token_versions = load_token_versions(conn)
        except SQLAlchemyError as error:
            if not self._is_ledger_away:
                log.warning("cannot refresh revoked hook URLs", error=type(error).__name__)
            self._is_ledger_away = True
        else:
            self._is_ledger_away = False
        self._refresh_at = self._clock() + REFRESH_INTERVAL_S


def load_token_versions(conn: Connection) -> dict[str, TokenVersion]:
    """Store -> its token version. Only stores whose hook URLs were ever rotated, and removed stores."""
    columns = Store.name, Store.token_version, Store.old_token_until
    rotated = conn.execute(select(*columns).where(Store.token_version > 1))
    removed = load_removed_versions(conn)
    return {row[0]: TokenVersion(row[1], row[2]) for row in rotated} | {
        name: TokenVersion(version + 1, None) for name, version in removed.items()
    }

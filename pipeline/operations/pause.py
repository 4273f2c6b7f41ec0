"""Pauses connections by hand, and lets paused ones go on with the keys that are saved, if the platform takes them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from pipeline.core.errors import Misconfigured
from pipeline.destinations import DESTINATIONS
from pipeline.infra.crypto import encryption
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.deliveries.pause import resume_connection
from pipeline.ledger.engine import writing

MANUAL_PAUSE = "paused by hand"


def is_paused_by_platform(status_reason: str | None) -> bool:
    """Whether it was the platform that refused, which may take the saved keys by now."""
    return status_reason not in (None, MANUAL_PAUSE)


def pause(engine: Engine, connection: ConnectionRow, now: int) -> None:
    """Nothing leaves any more, beyond a call that is under way; what should leave waits."""
    with writing(engine) as db:
        pause_connection(db, connection.id, MANUAL_PAUSE, now)


def resume_with_saved_keys(
    engine: Engine, secret_keys: Sequence[str], connection: ConnectionRow, http: HTTPClient, now: int
) -> None:
    """Everything that waits leaves now.

    Raise Misconfigured, BadCredentials, WrongRegion or Unreachable, and leave it paused.
    """
    checked = DESTINATIONS[connection.platform](encryption.decrypt(secret_keys, connection.config), http).check()
    if checked.account != connection.account:
        raise Misconfigured("the saved keys lead to another account now: connect the store again")
    with writing(engine) as db:
        resume_connection(db, connection.id, now)

"""Pauses connections by hand, and resumes paused connections if the platform accepts the saved keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Engine

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.destinations import DESTINATIONS
from pipeline.infra import redis_keys
from pipeline.infra.crypto import encryption
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.audit import Actor, record_store_action
from pipeline.ledger.connections import (
    ConnectionRow,
    list_all_connections,
    list_failing_connections,
    resume_connection,
)
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import reading, writing

MANUAL_PAUSE = "paused by hand"
SWITCHED_OFF = "switched off"  # begins the reason of a pause after days without success
_US_PER_SECOND, _DAY_S = 1_000_000, 86_400
RETRY_INTERVAL_S = 300  # between two tries of keys that a platform refuses


def is_paused_by_platform(status_reason: str | None) -> bool:
    """Whether the platform's refusal paused it, so that the saved keys may be accepted by now."""
    return status_reason not in (None, MANUAL_PAUSE)


def pause(engine: Engine, connection: ConnectionRow, actor: Actor, now: int) -> None:
    """Pause the connection: a call that is under way finishes, all other deliveries wait."""
    with writing(engine) as conn:
        pause_connection(conn, connection.id, MANUAL_PAUSE, now)
        record_store_action(conn, connection.store_id, actor, "connection.paused", now, {"connection": connection.id})


def check_saved_keys(secret_keys: Sequence[str], connection: ConnectionRow, http: HTTPClient) -> None:
    """Ask the platform. Raise Misconfigured, BadCredentials, WrongRegion or Unreachable unless it takes them."""
    config = encryption.decrypt(secret_keys, connection.config, connection.identity)
    checked = DESTINATIONS[connection.platform](config, http).check()
    if checked.account != connection.account:
        raise Misconfigured("the saved keys lead to another account now: connect the store again")


def resume_with_saved_keys(
    engine: Engine,
    secret_keys: Sequence[str],
    connection: ConnectionRow,
    http: HTTPClient,
    now: int,
    actor: Actor | None = None,
) -> None:
    """Check the saved keys and resume the connection. `actor`: None if no person asked for it.

    Raise what `check_saved_keys` raises, and leave it paused.
    """
    check_saved_keys(secret_keys, connection, http)
    with writing(engine) as conn:
        resume_connection(conn, connection.id, now)
        if actor is not None:
            about = {"connection": connection.id}
            record_store_action(conn, connection.store_id, actor, "connection.resumed", now, about)


def switch_off_failing(context: Context) -> list[int]:
    """Pause the connections that have failed for as long as their platform allows: their ids."""
    with reading(context.engine) as conn:
        reasons = {
            connection_id: f"{SWITCHED_OFF} after {limit_s // _DAY_S} days without success; the last try: {reason}"
            for connection_id, platform, failing_since, reason in list_failing_connections(conn)
            if platform in DESTINATIONS  # not that of a later release, which this one cannot check
            and (limit_s := DESTINATIONS[platform].switched_off_after_s) is not None
            and context.now() - failing_since >= limit_s * _US_PER_SECOND
        }
    if reasons:
        with writing(context.engine) as conn:
            for connection_id, reason in reasons.items():
                pause_connection(conn, connection_id, reason, context.now())
    return list(reasons)


def claim_due_retries(context: Context) -> list[int]:
    """The connections that a platform refuses and whose saved keys are due for a try: their ids.

    Each id is returned once in five minutes, by however many processes this is called.
    """
    with reading(context.engine) as conn:
        refused = [
            row.id
            for row in list_all_connections(conn)
            if row.status != "active" and _is_tried_again(row.status_reason)
        ]
    claim = partial(context.redis.set, value=context.now(), nx=True, ex=RETRY_INTERVAL_S)
    return [connection_id for connection_id in refused if claim(redis_keys.credential_retry(connection_id))]


def _is_tried_again(status_reason: str | None) -> bool:
    """Whether the saved keys are tried by themselves. A connection that was switched off waits for a person."""
    return is_paused_by_platform(status_reason) and not str(status_reason).startswith(SWITCHED_OFF)

"""Lets what a backfill has written about somebody go before what a hook tells of them now, so that order holds."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select, tuple_, update

from pipeline.core.messages import LIVE_PRIORITY
from pipeline.ledger.deliveries.status import IS_BACKFILL, OPEN
from pipeline.ledger.schema.core import Delivery, Lane


def promote_to_live(conn: Connection, people: Collection[int]) -> None:
    """What waits for these people gives way no longer. The caller has told live news of each of them.

    Lanes are locked as whoever claims or settles locks them, so that no two wait for each other.
    """
    columns = Delivery.id, Delivery.connection_id, Delivery.lane
    found = conn.execute(select(*columns).where(Delivery.person_id.in_(people), OPEN, IS_BACKFILL)).all()
    if not found:
        return
    lanes = sorted({(row.connection_id, row.lane) for row in found})
    here = tuple_(Lane.connection_id, Lane.lane).in_(lanes)
    conn.execute(select(Lane.token).where(here).order_by(Lane.connection_id, Lane.lane).with_for_update())
    conn.execute(
        update(Delivery).where(Delivery.id.in_([row.id for row in found]), OPEN).values(priority=LIVE_PRIORITY)
    )

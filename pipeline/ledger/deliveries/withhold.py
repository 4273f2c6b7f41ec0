"""Stops messages about people who are withheld: their status becomes `withheld`, with the reason.

Requests to forget a person are never stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from pipeline.ledger.deliveries.lanes import lock_lanes
from pipeline.ledger.deliveries.status import IS_CLAIMED, OPEN, PENDING
from pipeline.ledger.schema.core import Delivery
from pipeline.ledger.sql.tables import chunks

WITHHELD = "withheld"
_IS_ABOUT_DATA = Delivery.kind != "forget"


def stop_pending(conn: Connection, reasons: Mapping[int, str], now: int, *, only_with_address: bool = False) -> int:
    """Stop the messages that wait about these people (person id -> reason); returns how many.

    What is being sent arrives; if it does not, it is stopped when it is claimed again. Lanes are locked before
    deliveries, in the order of their keys, as claiming and settling do: no deadlock.
    """
    stopped = 0
    for part in chunks(sorted(reasons)):
        waiting = [Delivery.person_id.in_(part), OPEN, PENDING, _IS_ABOUT_DATA]
        columns = Delivery.id, Delivery.person_id, Delivery.connection_id, Delivery.lane
        found: Sequence[Any] = conn.execute(select(*columns).where(*waiting)).all()
        if only_with_address:
            found = _keep_those_with_address(conn, found)
        if not found:
            continue
        lock_lanes(conn, {(row.connection_id, row.lane) for row in found})
        stopped += _stop(conn, {row.id: reasons[row.person_id] for row in found}, now)
    return stopped


def stop_withheld(conn: Connection, reasons: Mapping[int, str], now: int) -> None:
    """Stop messages (delivery id -> reason) in place of sending them. The caller has claimed them."""
    if reasons:
        _stop(conn, reasons, now, is_claimed=True)


def _stop(conn: Connection, reasons: Mapping[int, str], now: int, *, is_claimed: bool = False) -> int:
    by_reason: defaultdict[str, list[int]] = defaultdict(list)
    for delivery_id, reason in reasons.items():
        by_reason[reason].append(delivery_id)
    return sum(_stop_for(conn, ids, reason, now, is_claimed=is_claimed) for reason, ids in by_reason.items())


def _stop_for(conn: Connection, ids: Iterable[int], reason: str, now: int, *, is_claimed: bool) -> int:
    values = {"status": WITHHELD, "reason": reason, "detail": None, "done_at": now}
    mine = [Delivery.id.in_(list(ids)), OPEN, PENDING, *(() if is_claimed else (~IS_CLAIMED,))]
    stopped = update(Delivery).where(*mine).values(values).returning(Delivery.id)
    return len(conn.execute(stopped).all())


def _keep_those_with_address(conn: Connection, found: Sequence[Any]) -> list[Any]:
    """Those of the messages that name an address. Their text is read, since the database cannot read what is packed."""
    messages = select(Delivery.id, Delivery.message).where(Delivery.id.in_([row.id for row in found]))
    named = {row.id for row in conn.execute(messages) if row.message["email"] is not None}
    return [row for row in found if row.id in named]

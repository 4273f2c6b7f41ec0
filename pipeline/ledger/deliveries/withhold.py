"""Stops messages about people who are withheld: their status becomes `withheld`, with the reason.

Requests to forget a person are never stopped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select, tuple_, update

from pipeline.core.messages import Message
from pipeline.ledger.deliveries.status import OPEN, PENDING
from pipeline.ledger.schema.core import Delivery, Lane, Person
from pipeline.ledger.sql.tables import chunks

WITHHELD = "withheld"
_IS_ABOUT_DATA = Delivery.kind != "forget"


def stop_pending(conn: Connection, reasons: Mapping[int, str], now: int, *, only_with_address: bool = False) -> int:
    """Stop the messages that wait about these people (person id -> reason); returns how many.

    Lanes are locked before deliveries, in the order of their keys, as claiming and settling do: no deadlock.
    """
    stopped = 0
    for part in chunks(sorted(reasons)):
        waiting = [Delivery.person_id.in_(part), OPEN, PENDING, _IS_ABOUT_DATA]
        if only_with_address:
            waiting.append(Delivery.message["email"].as_string().is_not(None))
        columns = Delivery.id, Delivery.person_id, Delivery.connection_id, Delivery.lane
        found = conn.execute(select(*columns).where(*waiting)).all()
        if not found:
            continue
        lanes = sorted({(row.connection_id, row.lane) for row in found})
        locked = select(Lane.token).where(tuple_(Lane.connection_id, Lane.lane).in_(lanes))
        conn.execute(locked.order_by(Lane.connection_id, Lane.lane).with_for_update())
        by_reason: defaultdict[str, list[int]] = defaultdict(list)
        for row in found:
            by_reason[reasons[row.person_id]].append(row.id)
        stopped += sum(_stop(conn, ids, reason, now) for reason, ids in by_reason.items())
    return stopped


def take_out_withheld(conn: Connection, claimed: Sequence[Message], now: int) -> list[Message]:
    """Those of the claimed messages that may leave. The caller holds their lane.

    The last check before the call: a message may have been replayed, or retried, since its person is withheld.
    """
    people = {message.person.id for message in claimed if message.kind != "forget"}
    query = select(Person.id, Person.withheld).where(Person.id.in_(people), Person.withheld.is_not(None))
    reasons = {row.id: str(row.withheld) for row in conn.execute(query)} if people else {}
    if not reasons:
        return list(claimed)
    stopped = [message for message in claimed if message.kind != "forget" and message.person.id in reasons]
    for message in stopped:
        _stop(conn, [message.delivery_id], reasons[message.person.id], now)
    return [message for message in claimed if message not in stopped]


def _stop(conn: Connection, ids: Iterable[int], reason: str, now: int) -> int:
    values = {"status": WITHHELD, "reason": reason, "detail": None, "done_at": now}
    stopped = update(Delivery).where(Delivery.id.in_(list(ids)), OPEN).values(values).returning(Delivery.id)
    return len(conn.execute(stopped).all())

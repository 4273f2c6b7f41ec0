"""Requests to forget a person, in the ledger: one message to each platform, and where each regulation stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Delete, delete, insert, select, update

from pipeline.core.messages import LIVE_PRIORITY, ForgetMode, Identifiers
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.deliveries.claim import promote_to_live
from pipeline.ledger.schema.core import Delivery, ProfileSent, StoreConnection
from pipeline.ledger.schema.regulations import RegulationDestination

FORGET_NAME = "forget"  # what lists show in the place of an event's name
ANOTHER_ACCOUNT = "another_account"
_US_PER_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """Whom the platforms of a store are to forget, and for which regulation."""

    regulation_id: int
    person_id: int
    identifiers: Identifiers = field(repr=False)
    mode: ForgetMode


@dataclass(frozen=True, slots=True)
class ForgetProgress:
    """Where a regulation stands at one platform: open, done, failed or unsupported. Times are µs."""

    regulation_id: int
    connection_id: int
    platform: str
    account: str
    mode: str
    delivery_id: int | None
    state: str
    reason: str | None
    asked_at: int
    done_at: int | None


def add_forget_request(conn: Connection, connection: ConnectionRow, request: ForgetRequest, now: int) -> None:
    """Write the message, behind everything that is open for the person on this connection, and the regulation's row.

    Only once for each regulation and connection. A later message about the person begins with a profile again.
    """
    if _is_known(conn, request, connection):
        return
    promote_to_live(conn, {request.person_id})  # what a backfill wrote would leave after this message
    conn.execute(_delete_profile_sent(connection.id, request.person_id))
    columns: dict[str, Any] = {"store_id": connection.store_id, "connection_id": connection.id, "kind": "forget"}
    columns |= {"person_id": request.person_id, "lane": request.person_id % connection.lanes, "name": FORGET_NAME}
    columns |= {"priority": LIVE_PRIORITY, "status": "pending", "attempts": 0, "notes": [], "created_at": now}
    columns |= {"message": _build_message(now, request)}
    delivery_id = conn.execute(insert(Delivery).values(columns).returning(Delivery.id)).scalar_one()
    _insert_row(conn, connection, request, now, {"delivery_id": delivery_id, "state": "open"})


def add_unsupported(conn: Connection, connection: ConnectionRow, request: ForgetRequest, reason: str, now: int) -> None:
    """Record that the connection's platform cannot forget a person."""
    if not _is_known(conn, request, connection):
        _insert_row(conn, connection, request, now, {"state": "unsupported", "reason": reason, "done_at": now})


def settle_forget_requests(conn: Connection, delivery_ids: Collection[int], now: int) -> None:
    """Empty the messages of these deliveries, which are sent or dead, and record the result for their regulations.

    A connection may lead to another workspace than when the person was erased: then the first one has not forgotten.
    """
    found = conn.execute(
        select(Delivery.id, Delivery.connection_id, Delivery.person_id, Delivery.status, Delivery.reason).where(
            Delivery.id.in_(delivery_ids), Delivery.kind == "forget", Delivery.done_at.is_not(None)
        )
    ).all()
    for row in found:
        account = select(StoreConnection.account).where(StoreConnection.id == row.connection_id).scalar_subquery()
        mine = RegulationDestination.delivery_id == row.id, RegulationDestination.state == "open"
        failed: dict[str, Any] = {"state": "failed", "done_at": now}
        conn.execute(
            update(RegulationDestination)
            .where(*mine, RegulationDestination.account != account)
            .values(**failed, reason=ANOTHER_ACCOUNT)
        )
        is_done = row.status == "sent"
        done = {"state": "done", "done_at": now} if is_done else failed | {"reason": row.reason}
        conn.execute(update(RegulationDestination).where(*mine).values(done))
        conn.execute(_delete_profile_sent(row.connection_id, row.person_id))
    ids = [row.id for row in found]
    conn.execute(update(Delivery).where(Delivery.id.in_(ids)).values(message=_build_message(now, None), packed=None))


def list_forget_progress(conn: Connection, regulation_ids: Collection[int]) -> list[ForgetProgress]:
    """Where these regulations stand, at every platform that they concern."""
    row = RegulationDestination
    columns = (row.regulation_id, row.connection_id, row.platform, row.account, row.mode, row.delivery_id)
    query = select(*columns, row.state, row.reason, row.asked_at, row.done_at).where(
        row.regulation_id.in_(regulation_ids)
    )
    found = conn.execute(query.order_by(row.regulation_id, row.connection_id))
    return [ForgetProgress(**one._asdict()) for one in found]


def _is_known(conn: Connection, request: ForgetRequest, connection: ConnectionRow) -> bool:
    row = RegulationDestination
    mine = row.regulation_id == request.regulation_id, row.connection_id == connection.id
    return conn.execute(select(row.state).where(*mine)).first() is not None


def _insert_row(
    conn: Connection, connection: ConnectionRow, request: ForgetRequest, now: int, state: dict[str, Any]
) -> None:
    columns: dict[str, Any] = {"regulation_id": request.regulation_id, "mode": request.mode, "asked_at": now}
    columns |= {"connection_id": connection.id, "store_id": connection.store_id}
    columns |= {"platform": connection.platform, "account": connection.account}
    conn.execute(insert(RegulationDestination).values({**columns, **state}))


def _delete_profile_sent(connection_id: int, person_id: int) -> Delete:
    return delete(ProfileSent).where(ProfileSent.connection_id == connection_id, ProfileSent.person_id == person_id)


def _build_message(now: int, request: ForgetRequest | None) -> dict[str, Any]:
    """The message of a request; without one, what is left of it when it is settled."""
    data: dict[str, Any] = {}
    if request is not None:
        asked = request.identifiers
        data = {"mode": request.mode, "customer_ids": list(asked.customer_ids), "emails": list(asked.emails)}
    return {"customer_id": None, "email": None, "at": now // _US_PER_SECOND, "data": data}

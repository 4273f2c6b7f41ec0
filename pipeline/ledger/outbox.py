"""An outbox: rows that are written in the transaction of what they are about, and sent afterwards until they are taken.

Mails and alert notices are such rows. A sender claims a due row, sends it outside any transaction, and records the
result. A sender that ends meanwhile leaves its claim behind; the row is due again when the claim has timed out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, Protocol, TypeVar

import structlog
from sqlalchemy import Connection, Engine, Table, delete, select, update

from pipeline.ledger.engine import reading, writing

log = structlog.get_logger(__name__)

CLAIM_TIMEOUT_US = 120_000_000
MAX_ATTEMPTS = 24
MIN_BACKOFF_US = 15_000_000
MAX_BACKOFF_US = 3_600_000_000
_MAX_DOUBLINGS = 10  # of the backoff: keeps the number small; MAX_BACKOFF_US is reached after eight
_MAX_DUE_ROWS = 100  # in one sweep


class OutboxItem(Protocol):
    """A claimed row: what every outbox needs of it."""

    @property
    def id(self) -> int: ...

    @property
    def attempts(self) -> int: ...


ItemT = TypeVar("ItemT", bound=OutboxItem)


@dataclass(frozen=True, slots=True)
class Outbox(Generic[ItemT]):
    """One table that is an outbox: it has the columns `id`, `attempts`, `next_attempt_at`, `done_at` and `reason`.

    `item` is a dataclass whose fields are columns: what a claim returns. `cleared` are the columns that are
    overwritten once a row is sent or given up, and `retention_us` is how long such a row is kept.
    """

    table: Table
    item: type[ItemT]
    retention_us: int
    cleared: Mapping[str, Any] = field(default_factory=dict)

    def list_due(self, conn: Connection, now: int) -> list[int]:
        """The ids of the rows that may be sent now, oldest first."""
        row = self.table.c
        due = row.done_at.is_(None), row.next_attempt_at <= now
        return list(conn.execute(select(row.id).where(*due).order_by(row.id).limit(_MAX_DUE_ROWS)).scalars())

    def claim(self, conn: Connection, row_id: int, now: int) -> ItemT | None:
        """Claim a row for sending and count the attempt; None if it is not due, because another sender has it."""
        row = self.table.c
        due = row.id == row_id, row.done_at.is_(None), row.next_attempt_at <= now
        claimed = (
            update(self.table).where(*due).values(next_attempt_at=now + CLAIM_TIMEOUT_US, attempts=row.attempts + 1)
        )
        columns = [row[column.name] for column in fields(self.item)]  # type: ignore[arg-type]
        found = conn.execute(claimed.returning(*columns)).one_or_none()
        return None if found is None else self.item(**found._asdict())

    def mark_sent(self, conn: Connection, row_id: int, now: int) -> None:
        self._mark_done(conn, row_id, now, reason=None)

    def mark_failed(self, conn: Connection, item: ItemT, failure: SendFailure, now: int) -> bool:
        """Schedule the next attempt, or give up after the last one or a final failure; returns whether it gave up."""
        if failure.is_final or item.attempts >= MAX_ATTEMPTS:
            self._mark_done(conn, item.id, now, failure.reason)
            return True
        backoff = min(MAX_BACKOFF_US, MIN_BACKOFF_US * 2 ** min(item.attempts - 1, _MAX_DOUBLINGS))
        values = {"next_attempt_at": now + backoff, "reason": failure.reason}
        conn.execute(update(self.table).where(self.table.c.id == item.id).values(**values))
        return False

    def delete_old(self, conn: Connection, now: int) -> None:
        """Delete the rows that were sent or given up longer ago than they are kept."""
        conn.execute(delete(self.table).where(self.table.c.done_at < now - self.retention_us))

    def _mark_done(self, conn: Connection, row_id: int, now: int, reason: str | None) -> None:
        values = {"done_at": now, "reason": reason, **self.cleared}
        conn.execute(update(self.table).where(self.table.c.id == row_id).values(**values))


@dataclass(frozen=True, slots=True)
class SendFailure:
    """Why a row was not taken. `is_final`: another attempt would fail too."""

    reason: str
    is_final: bool = False


def send_due(
    engine: Engine, outbox: Outbox[ItemT], now: Callable[[], int], send: Callable[[ItemT], SendFailure | None]
) -> int:
    """Send every row that is due; returns how many were taken. `now` in µs; `send` returns None for a row taken.

    What `send` raises is not caught: the row is due again when its claim times out.
    """
    with reading(engine) as conn:
        due = outbox.list_due(conn, now())
    return sum(_send_row(engine, outbox, now, send, row_id) for row_id in due)


def _send_row(
    engine: Engine,
    outbox: Outbox[ItemT],
    now: Callable[[], int],
    send: Callable[[ItemT], SendFailure | None],
    row_id: int,
) -> bool:
    with writing(engine) as conn:
        item = outbox.claim(conn, row_id, now())
    if item is None:
        return False
    failure = send(item)
    with writing(engine) as conn:
        if failure is None:
            outbox.mark_sent(conn, item.id, now())
            return True
        has_given_up = outbox.mark_failed(conn, item, failure, now())
    message = "sending given up" if has_given_up else "sending failed, will retry"
    log.warning(message, table=outbox.table.name, id=item.id, reason=failure.reason)
    return False

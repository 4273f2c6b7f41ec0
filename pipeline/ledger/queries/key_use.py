"""When the keys of a store were last used with success."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from pipeline.ledger.schema.core import Call
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.store_apis import ACTIVE, StoreAPIRow

_NEWEST_CALLS = 50
_OK, _FAULTS = 200, 400  # HTTP's borders


def find_connection_use(conn: Connection, connection_id: int) -> int | None:
    """When the platform last took a call of this connection (µs), among its newest calls; None: none of these."""
    newest = select(Call.started_at, Call.status).where(Call.connection_id == connection_id)
    part = newest.order_by(Call.id.desc()).limit(_NEWEST_CALLS).subquery()
    taken = part.c.status >= _OK, part.c.status < _FAULTS
    return conn.execute(select(func.max(part.c.started_at)).where(*taken)).scalar()


def find_cratejoy_use(conn: Connection, api: StoreAPIRow) -> int | None:
    """When Cratejoy last took the keys (µs): a check, an audit of the hooks, or a complete reading."""
    read = select(func.max(Reconciliation.done_at)).where(Reconciliation.store_id == api.store_id)
    known = (api.checked_at if api.status == ACTIVE else None, api.audited_at, conn.execute(read).scalar())
    return max((at for at in known if at is not None), default=None)

"""What becomes of boxes whose outcome is open when a store gets another warehouse, or another account of the same.

The warehouse from now on knows nothing of them, so that asking it twice would not show that a box is nowhere: each is
left to a person, who asks the warehouse before. What the one before has is marked, so that a later cancel is left to a
person, too: nothing that the present one says ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.words import LASTING_HOLDS
from pipeline.ledger.fulfilment.events import EventDraft
from pipeline.ledger.fulfilment.orders import OrderRow, change_order, list_in_states, mark_elsewhere
from pipeline.warehouses import WAREHOUSES

EVENT = "other_warehouse"
_OPEN = frozenset(
    {State.DISCOVERED, State.HELD, State.READY, State.SENDING, State.UNKNOWN, State.FAILED, State.CANCEL_REQUESTED}
)


def is_same_account(adapter: str, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Return whether both are keys of one account: all that names it is the same, which no secret does."""
    named = [field for field in WAREHOUSES[adapter].fields if field.names_account and not field.secret]
    return all((before.get(one.key) or one.default) == (now.get(one.key) or one.default) for one in named)


def leave_open_boxes(conn: Connection, store_id: int, now: int) -> int:
    """Hold what the warehouse before may have, and end cancels that it has not answered; returns how many."""
    count = 0
    for row in list_in_states(conn, store_id, _OPEN):
        if row.state is State.CANCEL_REQUESTED:
            change: dict[str, Any] = {"state": State.CANCEL_REFUSED, "reason": "other_warehouse"}
        elif _may_be_there(row):
            change = {"state": State.HELD, "reason": "outcome_unknown", "may_exist": True}
        else:
            continue
        change_order(conn, row, now, EventDraft(EVENT), attempts=0, trying_since=None, next_attempt_at=0, **change)
        count += 1
    mark_elsewhere(conn, store_id)
    return count


def _may_be_there(row: OrderRow) -> bool:
    if row.state is State.FAILED and row.reason != "delivery_failed":
        return False
    is_asked = row.state is State.HELD and row.reason in LASTING_HOLDS
    return row.state is State.SENDING or (row.may_exist and not is_asked)

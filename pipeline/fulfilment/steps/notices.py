"""Notices about a box: one stands in front of a person, and the events keep the others until it is put away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.ledger.fulfilment.events import list_order_events

SEEN_KIND, CHANGED_KIND = "notice_seen", "changed"
# What stays so until a person has acted; the others are over when the box has gone on.
_LASTING = frozenset({"address_changed", "lines_changed", "gift_changed", "date_moved", "unpaid_after_sending"})


@dataclass(frozen=True, slots=True)
class Notices:
    """Codes of notices. `raised`: all that were, the last one last; `put_away`: those that a person has seen.

    `marks`: what the shop had changed, as it was noted last (`rules.changes.mark_changes`).
    """

    raised: tuple[str, ...]
    put_away: frozenset[str]
    marks: Mapping[str, str] = field(default_factory=dict)

    def find_next(self, seen: str) -> str | None:
        """The notice that comes back when this one is put away: the last that no person has seen."""
        left = [code for code in self.raised if code in _LASTING and code not in self.put_away and code != seen]
        return left[-1] if left else None


def load_notices(conn: Connection, order_ids: Sequence[int]) -> Notices:
    """The notices of a box so far."""
    raised: dict[str, None] = {}
    put_away: set[str] = set()
    marks: dict[str, str] = {}
    for event in list_order_events(conn, order_ids):
        if event.kind == SEEN_KIND and event.reason:
            put_away.add(event.reason)
            continue
        detail = event.detail or {}
        if event.kind == CHANGED_KIND:  # a further change of what was put away is another notice
            marks = detail.get("marks", {})
            put_away -= set(detail.get("changes", ()))
            raised = {code: None for code in raised if code not in detail.get("changes", ())}
        raised |= dict.fromkeys([*detail.get("changes", ()), *filter(None, [detail.get("notice")])])
    return Notices(tuple(raised), frozenset(put_away), marks)

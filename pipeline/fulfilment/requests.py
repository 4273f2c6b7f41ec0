"""What people decide about boxes: release, retry, send again, and what is to become of a parcel of no known box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Order, State, WarehouseOrder
from pipeline.fulfilment.rules.decision.decide import decide
from pipeline.fulfilment.rules.decision.words import Action, Seen, Standing
from pipeline.fulfilment.rules.order_numbers import OrderNumber, format_order_number
from pipeline.fulfilment.rules.reasons import REASONS, RELEASABLE
from pipeline.fulfilment.site import OpenWarehouse, open_adapter, require_site
from pipeline.fulfilment.steps.notices import load_notices
from pipeline.fulfilment.steps.settle import Sighting, get_standing, settle
from pipeline.fulfilment.steps.tracking import take_report
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, Actor, record_store_action
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.events import EventDraft
from pipeline.ledger.fulfilment.orders import (
    NewOrder,
    OrderRow,
    change_order,
    find_newest_order,
    find_order,
    insert_order,
)
from pipeline.ledger.fulfilment.quarantine import ATTACHED, DISMISSED, get_quarantined, settle_quarantined
from pipeline.ledger.fulfilment.warehouses import DRY_RUN
from pipeline.ledger.queries.fulfilment import SEEN

Choice = Literal["release", "retry", "resend", "mark_sent", "write_tracking", "ignore", "dismiss_notice"]
_WORDS: Mapping[str, Seen] = {
    "release": Seen.RELEASE,
    "retry": Seen.RETRY,
    "mark_sent": Seen.MARK_SENT,
    "write_tracking": Seen.WRITE_TRACKING,
    "ignore": Seen.IGNORE,
}
# In which a box is not on its way under its number, so that it may go out under a new one.
_MAY_GO_AGAIN: Mapping[State, tuple[str, ...]] = {
    State.CANCELLED: (),
    State.CANCELLED_AT_WAREHOUSE: (),
    State.HELD: ("uncancelled", "conflict", "outcome_unknown"),
}
_KEPT = (
    *(
        "adjusted_ordered_at",
        "target_at",
        "due_at",
        "batch_id",
        "batch_starts_at",
        "batch_ends_at",
        "cycle",
        "subscription_id",
    ),
    *("customer_id", "order_ids", "is_gift", "country", "lines", "is_erased", "released"),
)
_SAID = {"retry": "try again", "mark_sent": "mark as sent", "write_tracking": "write"}
_NOW: dict[str, Any] = {"attempts": 0, "trying_since": None, "next_attempt_at": 0}


class Requests:
    """The requests of one person about the boxes of one store. Raises Misconfigured for what cannot be done."""

    def __init__(
        self,
        context: Context,
        store_id: int,
        actor: Actor = COMMAND_LINE_ACTOR,
        *,
        open_warehouse: OpenWarehouse = open_adapter,
    ) -> None:
        self._site = require_site(context, store_id, open_warehouse=open_warehouse)
        self._actor = actor

    def list_choices(self, row: OrderRow, *, is_newest: bool) -> list[Choice]:
        """What a person can do about the box now. `is_newest`: it was not sent again under another number."""
        return [choice for choice in get_args(Choice) if self._is_possible(row, choice, is_newest=is_newest)]

    def open(self, row: OrderRow) -> Order | None:
        """The order with its names and addresses; None if they are not kept. Raises Misconfigured if no key fits."""
        return self._site.open(row)

    def decide(self, order_number: str, word: str) -> OrderRow:
        """Release a held box, have one tried again, or decide what is so: see `_WORDS`."""
        with writing(self._site.engine) as conn:
            row = self._find(conn, order_number)
            columns = dict(_NOW) if word in ("release", "retry") else {}
            if word == "release":
                columns["released"] = sorted({*row.released, _require_releasable(row)})
            if self._only_would_go(row, word):
                raise Misconfigured(
                    f"{order_number} is held, and the store is in dry run: nothing is tried before it is live"
                )
            before = get_standing(row)
            sighting = Sighting(_WORDS[word], columns=columns, user_id=self._actor.user_id)
            changed, action = settle(conn, self._site, row, sighting)
            is_retried = word == "retry" and row.state in _RETRIED_IN_PLACE
            if get_standing(changed) == before and action is Action.NONE and not is_retried:
                raise Misconfigured(f"{order_number} is {row.state.value}: there is nothing to {_SAID.get(word, word)}")
            self._record(conn, f"box.{word}", row)
        return changed

    def resend(self, order_number: str) -> OrderRow:
        """Send a box again under a new number, which the warehouse has never had: SUB-1 becomes SUB-1-R1."""
        with writing(self._site.engine) as conn:
            row = self._find(conn, order_number)
            newest = find_newest_order(conn, row.store_id, row.shipment_id)
            if newest is None or newest.id != row.id:
                raise Misconfigured(f"{order_number} was sent again already")
            if not _may_go_again(row):
                raise Misconfigured(f"{order_number} is {row.state.value}: it may still be on its way")
            kind: Any = row.kind
            number = format_order_number(OrderNumber(row.shipment_id, kind, row.resend_no + 1))
            new = NewOrder(
                row.store_id,
                row.shipment_id,
                number,
                kind,
                row.billing_type,
                State.READY,
                "released_by_person",
                row.resend_no + 1,
            )
            columns = {name: getattr(row, name) for name in _KEPT}
            sent_again = insert_order(conn, new, self._site.now(), **columns)
            if sent_again is None:
                raise Misconfigured(f"{number} exists already")
            event = EventDraft("sent_again", detail={"as": number}, user_id=self._actor.user_id)
            if row.state is State.HELD:
                change_order(conn, row, self._site.now(), event, state=State.CANCELLED, reason="released_by_person")
            if row.state is State.CANCELLED_AT_WAREHOUSE:  # no one has to decide about it any more
                change_order(conn, row, self._site.now(), event, reason=SEEN)
            self._record(conn, "box.resend", sent_again)
        return sent_again

    def attach(self, quarantine_id: int, order_number: str) -> OrderRow:
        """Take tracking that was kept apart for the box with this number."""
        with writing(self._site.engine) as conn:
            row, kept = self._find(conn, order_number), get_quarantined(conn, self._site.store_id, quarantine_id)
            if kept is None or kept.outcome is not None:
                raise Misconfigured(f"there is no tracking {quarantine_id} in quarantine")
            if row.state in (State.DISCOVERED, State.HELD, State.READY, State.SKIPPED):
                raise Misconfigured(f"{order_number} is {row.state.value}: mark it as sent first")
            progress: Any = "shipped" if kept.is_complete else "partial"
            reported = WarehouseOrder(row.order_number, row.external_id or "", progress, (kept.package,))
            take_report(conn, self._site, row.order_number, reported, "person")
            settle_quarantined(conn, quarantine_id, ATTACHED, self._site.now())
            self._record(conn, "tracking.attached", row)
            return self._find(conn, order_number)

    def dismiss(self, quarantine_id: int) -> None:
        """Leave tracking that was kept apart as it is: it is not written anywhere."""
        with writing(self._site.engine) as conn:
            kept = get_quarantined(conn, self._site.store_id, quarantine_id)
            if kept is None or not settle_quarantined(conn, quarantine_id, DISMISSED, self._site.now()):
                raise Misconfigured(f"there is no tracking {quarantine_id} in quarantine")
            about = {"tracking": quarantine_id}
            record_store_action(conn, self._site.store_id, self._actor, "tracking.dismissed", self._site.now(), about)

    def dismiss_notice(self, order_number: str) -> OrderRow:
        """Put away the notice about a box, such as that its address was changed after it was sent.

        Where there was another before it that no person has put away, that one comes back.
        """
        with writing(self._site.engine) as conn:
            row = self._find(conn, order_number)
            if row.notice_at is None:
                raise Misconfigured(f"{order_number} has no notice")
            event = EventDraft("notice_seen", row.notice, user_id=self._actor.user_id)
            left = load_notices(conn, [row.id]).find_next(row.notice or "")
            shown = {"notice_at": None} if left is None else {"notice": left, "notice_at": self._site.now()}
            changed = change_order(conn, row, self._site.now(), event, **shown)
            self._record(conn, "box.dismiss_notice", changed)
        return changed

    def _is_possible(self, row: OrderRow, choice: Choice, *, is_newest: bool) -> bool:
        if choice == "dismiss_notice":
            return row.notice_at is not None
        if choice == "resend":
            return is_newest and _may_go_again(row)
        if choice == "release" and not _is_releasable(row):
            return False
        if choice == "retry" and row.state in _RETRIED_IN_PLACE:
            return row.next_attempt_at > self._site.now()
        if self._only_would_go(row, choice):
            return False
        before = get_standing(row)
        after = decide(before, _WORDS[choice], self._site.policy, self._site.now())
        changed = Standing(
            after.state, after.reason, after.may_exist, after.is_cancel_wanted, after.missed_at, before.is_elsewhere
        )
        return changed != before or after.action is not Action.NONE

    def _only_would_go(self, row: OrderRow, word: str) -> bool:
        """Whether trying this again would only be counted: in dry run, where nothing finds that it is held still."""
        return word == "retry" and row.state is State.HELD and self._site.row.mode == DRY_RUN

    def _find(self, conn: Connection, order_number: str) -> OrderRow:
        row = find_order(conn, self._site.store_id, order_number.strip().upper())
        if row is None:
            raise Misconfigured(f"the store has no box {order_number}")
        return row

    def _record(self, conn: Connection, action: str, row: OrderRow) -> None:
        about = {"order": row.id, "shipment": row.shipment_id}
        record_store_action(conn, row.store_id, self._actor, action, self._site.now(), about)


# States in which trying again means: now, and not when it would be due.
_RELEASED_FROM = (State.HELD, State.DISCOVERED, State.SKIPPED)
_RETRIED_IN_PLACE = (State.READY, State.UNKNOWN, State.SHIPPED, State.CANCEL_REQUESTED)


def _may_go_again(row: OrderRow) -> bool:
    reasons = _MAY_GO_AGAIN.get(row.state)
    return reasons is not None and (not reasons or row.reason in reasons)


def _is_releasable(row: OrderRow) -> bool:
    return row.state in _RELEASED_FROM and row.reason in RELEASABLE


def _require_releasable(row: OrderRow) -> str:
    """The reason that is overruled. Raises Misconfigured, with what would end it, if no person can."""
    reason = REASONS.get(row.reason or "")
    if row.state not in _RELEASED_FROM:
        raise Misconfigured(f"{row.order_number} is {row.state.value}: only a box that is held can be released")
    if reason is None or not reason.may_release:
        says = f"{reason.text} {reason.cure}".strip() if reason else "there is no reason that could be overruled."
        raise Misconfigured(f"{row.order_number} cannot be released: {says}")
    return reason.code

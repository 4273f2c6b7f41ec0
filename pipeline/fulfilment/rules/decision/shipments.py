"""What a look at the shipment changes: before the box is sent nearly everything, after it only cancels and marks."""

from __future__ import annotations

from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision import conditions as if_
from pipeline.fulfilment.rules.decision.words import (
    AT_WAREHOUSE,
    BEFORE_SENDING,
    CANCELLING,
    EVERY_STATE,
    IN_DOUBT,
    LEAVING,
    SIGHT,
    STAY,
    Action,
    Condition,
    Row,
    Rule,
    S,
    Seen,
)

_MARKED = (Seen.SHIPPED_ELSEWHERE, Seen.SHIPPED_AS_OURS)
_WANTED = (Seen.WAITS, Seen.HOLDS, Seen.DUE, Seen.DUE_CHANGED)  # the shop wants the box, now or later
_DUE = (Seen.DUE, Seen.DUE_CHANGED)
SHIPMENT_SEEN = (*_WANTED, Seen.UNPAID, Seen.EXCLUDED, Seen.CANCELLED, *_MARKED, Seen.GONE)

_EXTERNAL = Rule(S.EXTERNALLY_SHIPPED, "marked_at_cratejoy")


def cancel_rows(states: tuple[State, ...], seen: tuple[Seen, ...], when: Condition | None = None) -> tuple[Row, ...]:
    """Return the rows by which the warehouse is asked to cancel, or a person is, where it cannot be asked."""
    can = if_.both(when, if_.can_cancel) if when else if_.can_cancel
    elsewhere = if_.both(when, if_.is_elsewhere) if when else if_.is_elsewhere
    return (
        Row(states, seen, Rule(S.CANCEL_REQUESTED, "", Action.ASK_CANCEL, may_exist=True, is_cancel_wanted=False), can),
        Row(states, seen, Rule(S.CANCEL_REFUSED, "other_warehouse", may_exist=True, is_cancel_wanted=False), elsewhere),
        Row(states, seen, Rule(S.CANCEL_REFUSED, "unsupported", may_exist=True, is_cancel_wanted=False), when),
    )


SHIPMENT_ROWS: tuple[Row, ...] = (
    # Held for the warehouse or for a person.
    Row((S.HELD,), (Seen.DUE_CHANGED,), Rule(S.READY, ""), if_.has_reason("rejected_by_warehouse")),
    Row((S.HELD,), (Seen.CANCELLED,), Rule(S.CANCELLED, "cancelled_at_cratejoy"), if_.has_reason("uncancelled")),
    Row((S.HELD,), (Seen.CANCELLED, *_MARKED), STAY, if_.has_reason("conflict")),
    Row((S.HELD,), (*_WANTED, Seen.UNPAID, Seen.EXCLUDED, Seen.GONE), STAY, if_.is_lasting_hold),
    # Not sent: the shipment alone decides, unless an earlier call may have left an order at the warehouse.
    Row(BEFORE_SENDING, (Seen.WAITS,), Rule(S.DISCOVERED, SIGHT)),
    Row(BEFORE_SENDING, (Seen.HOLDS, Seen.UNPAID), Rule(S.HELD, SIGHT)),
    Row(BEFORE_SENDING, _DUE, Rule(S.READY, "")),
    *cancel_rows(BEFORE_SENDING, (Seen.CANCELLED,), if_.may_exist),
    Row(BEFORE_SENDING, _MARKED, _EXTERNAL, if_.may_exist),
    Row(BEFORE_SENDING, (Seen.GONE,), Rule(S.FAILED, "shipment_gone"), if_.may_exist),
    Row(BEFORE_SENDING, (Seen.EXCLUDED,), Rule(S.SKIPPED, SIGHT)),
    Row((S.SKIPPED,), (Seen.CANCELLED,), Rule(S.SKIPPED, "cancelled_before_load")),
    Row(BEFORE_SENDING, (Seen.CANCELLED,), Rule(S.CANCELLED, "cancelled_before_sending")),
    Row(BEFORE_SENDING, _MARKED, Rule(S.SKIPPED, "already_shipped")),
    Row(BEFORE_SENDING, (Seen.GONE,), Rule(S.SKIPPED, "shipment_gone")),
    # The call is under way, or its outcome is not known: only what is wanted then is written down.
    Row(IN_DOUBT, (Seen.CANCELLED,), Rule(is_cancel_wanted=True)),
    Row(IN_DOUBT, _WANTED, Rule(is_cancel_wanted=False)),
    Row(IN_DOUBT, (Seen.UNPAID,), Rule(is_cancel_wanted=False, notice="unpaid_after_sending")),
    Row(IN_DOUBT, (*_MARKED, Seen.EXCLUDED, Seen.GONE), STAY),
    # At the warehouse.
    *cancel_rows(AT_WAREHOUSE, (Seen.CANCELLED,)),
    Row(
        (*AT_WAREHOUSE, *CANCELLING),
        (Seen.SHIPPED_ELSEWHERE,),
        Rule(S.EXTERNALLY_SHIPPED, "marked_at_cratejoy", Action.ASK_CANCEL),
        if_.cancels_if_externally_shipped,
    ),
    Row((*AT_WAREHOUSE, *CANCELLING), (Seen.SHIPPED_ELSEWHERE,), _EXTERNAL),
    Row((*AT_WAREHOUSE, *CANCELLING), (Seen.UNPAID,), Rule(notice="unpaid_after_sending")),
    Row((*AT_WAREHOUSE, *CANCELLING), (Seen.GONE,), Rule(notice="shipment_gone")),
    Row((S.CANCEL_REQUESTED,), _DUE, Rule(notice="cancelled_while_pending")),
    # Un-cancelled after the warehouse refused to cancel: both want the same again.
    Row((S.CANCEL_REFUSED,), _DUE, Rule(S.AT_WAREHOUSE, "")),
    # Shipped.
    Row(LEAVING, (Seen.CANCELLED,), STAY, if_.has_reason("written_by_person")),
    Row(LEAVING, (Seen.CANCELLED,), Rule(S.SHIPPED_AFTER_CANCEL, "parcel_after_cancel")),
    Row(LEAVING, (Seen.GONE,), Rule(S.FAILED, "shipment_gone")),
    Row((S.SHIPPED_AFTER_CANCEL,), _DUE, Rule(S.SHIPPED, "", Action.CONFIRM)),
    Row((S.SHIPPED_AFTER_CANCEL,), (Seen.SHIPPED_ELSEWHERE,), STAY, if_.has_reason("seen_by_person")),
    Row((S.SHIPPED_AFTER_CANCEL,), (Seen.SHIPPED_ELSEWHERE,), _EXTERNAL),
    Row(
        (*AT_WAREHOUSE, *CANCELLING, *LEAVING, S.SHIPPED_AFTER_CANCEL, S.EXTERNALLY_SHIPPED, S.FAILED),
        (Seen.SHIPPED_AS_OURS,),
        Rule(S.CONFIRMED, "", Action.ACKNOWLEDGE),
    ),
    # Un-cancelled: what the warehouse cancelled may not go out under the same number again.
    Row((S.CANCELLED,), (*_WANTED, Seen.UNPAID), Rule(S.HELD, "uncancelled"), if_.may_exist),
    Row((S.CANCELLED,), (Seen.WAITS,), Rule(S.DISCOVERED, SIGHT)),
    Row((S.CANCELLED,), (Seen.HOLDS, Seen.UNPAID), Rule(S.HELD, SIGHT)),
    Row((S.CANCELLED,), _DUE, Rule(S.READY, "")),
    Row((S.CANCELLED,), (Seen.EXCLUDED,), Rule(S.SKIPPED, SIGHT)),
    Row((S.CANCELLED,), _MARKED, Rule(S.EXTERNALLY_SHIPPED, "marked_at_cratejoy"), if_.may_exist),
    Row((S.CANCELLED,), _MARKED, Rule(S.SKIPPED, "already_shipped")),
    Row((S.CANCELLED_AT_WAREHOUSE,), (Seen.CANCELLED,), Rule(S.CANCELLED, "cancelled_at_cratejoy")),
    Row((S.CANCELLED_AT_WAREHOUSE,), _MARKED, _EXTERNAL),
    # The mark was taken back at Cratejoy.
    Row((S.EXTERNALLY_SHIPPED,), _DUE, Rule(S.AT_WAREHOUSE, "")),
    # Given up before anything can be at the warehouse.
    *(
        Row((S.FAILED,), seen, STAY, if_.may_exist)
        for seen in ((Seen.CANCELLED,), (Seen.SHIPPED_ELSEWHERE,), (Seen.EXCLUDED,))
    ),
    Row((S.FAILED,), (Seen.CANCELLED,), Rule(S.CANCELLED, "cancelled_before_sending")),
    Row((S.FAILED,), (Seen.SHIPPED_ELSEWHERE,), Rule(S.SKIPPED, "already_shipped")),
    Row((S.FAILED,), (Seen.EXCLUDED,), Rule(S.SKIPPED, SIGHT)),
    Row(EVERY_STATE, SHIPMENT_SEEN, STAY),
)

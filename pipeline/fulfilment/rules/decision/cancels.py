"""What the warehouse's answer to a cancel changes, and what a person may decide."""

from __future__ import annotations

from pipeline.fulfilment.rules.decision import conditions as if_
from pipeline.fulfilment.rules.decision.words import (
    EVERY_STATE,
    STAY,
    Action,
    Row,
    Rule,
    S,
    Seen,
)

CANCEL_SEEN = (
    Seen.CANCEL_DONE,
    Seen.CANCEL_PENDING,
    Seen.CANCEL_REFUSED,
    Seen.CANCEL_UNSUPPORTED,
    Seen.CANCEL_UNKNOWN,
)
PERSON_SEEN = (Seen.RELEASE, Seen.RETRY, Seen.MARK_SENT, Seen.WRITE_TRACKING, Seen.IGNORE)

CANCEL_ROWS: tuple[Row, ...] = (
    Row((S.CANCEL_REQUESTED, S.CANCEL_REFUSED), (Seen.CANCEL_DONE,), Rule(S.CANCELLED, "cancelled_at_cratejoy")),
    Row((S.CANCEL_REQUESTED,), (Seen.CANCEL_PENDING,), Rule(reason="cancel_pending", is_failure=True)),
    # Too late: the parcel may come, so its tracking is still waited for.
    Row((S.CANCEL_REQUESTED,), (Seen.CANCEL_REFUSED,), Rule(S.CANCEL_REFUSED, "too_late")),
    Row((S.CANCEL_REQUESTED,), (Seen.CANCEL_UNSUPPORTED,), Rule(S.CANCEL_REFUSED, "unsupported")),
    Row((S.CANCEL_REQUESTED,), (Seen.CANCEL_UNKNOWN,), Rule(is_failure=True, wait_s=if_.LOOK_UP_AFTER_S)),
    # Asked for because Cratejoy has it as shipped: it stays marked.
    Row((S.EXTERNALLY_SHIPPED,), (Seen.CANCEL_DONE,), Rule(reason="seen_by_person")),
    Row(EVERY_STATE, CANCEL_SEEN, STAY),
)

_REFUSED_FOR_GOOD = if_.has_reason("uncancelled")  # only a new number may go out

PERSON_ROWS: tuple[Row, ...] = (
    # Sent all the same, or now. A box that may be at the warehouse is looked up first, as always.
    Row((S.HELD,), (Seen.RELEASE, Seen.RETRY), STAY, _REFUSED_FOR_GOOD),
    Row((S.HELD,), (Seen.RELEASE, Seen.RETRY), STAY, if_.both(if_.has_reason("outcome_unknown"), if_.cannot_know)),
    Row((S.DISCOVERED, S.HELD), (Seen.RELEASE,), Rule(S.READY, "released_by_person")),
    Row(
        (S.SKIPPED,),
        (Seen.RELEASE,),
        Rule(S.READY, "released_by_person"),
        if_.has_reason("type_disabled", "too_old", "test_shipment"),
    ),
    Row((S.HELD,), (Seen.RETRY,), Rule(S.READY, "retried_by_person")),
    Row((S.READY,), (Seen.RETRY,), Rule(reason="retried_by_person")),
    Row(
        (S.FAILED,),
        (Seen.RETRY,),
        Rule(S.UNKNOWN, "retried_by_person", Action.LOOK_UP),
        if_.both(if_.may_exist, if_.has_reason("delivery_failed")),
    ),
    Row((S.FAILED,), (Seen.RETRY,), Rule(S.READY, "retried_by_person"), if_.has_reason("delivery_failed")),
    Row(
        (S.FAILED,),
        (Seen.RETRY,),
        Rule(S.SHIPPED, "retried_by_person", Action.CONFIRM),
        if_.has_reason("confirm_failed", "confirm_rejected"),
    ),
    Row((S.CANCEL_REFUSED,), (Seen.RETRY,), Rule(S.CANCEL_REQUESTED, "", Action.ASK_CANCEL), if_.can_cancel),
    Row((S.UNKNOWN,), (Seen.RETRY,), Rule(action=Action.LOOK_UP)),
    Row((S.SHIPPED,), (Seen.RETRY,), Rule(action=Action.CONFIRM)),
    # A person has asked the warehouse.
    Row(
        (S.HELD,),
        (Seen.MARK_SENT,),
        Rule(S.AT_WAREHOUSE, "", may_exist=True),
        if_.has_reason("conflict", "outcome_unknown"),
    ),
    Row(
        (S.SHIPPED_AFTER_CANCEL, S.EXTERNALLY_SHIPPED),
        (Seen.WRITE_TRACKING,),
        Rule(S.SHIPPED, "written_by_person", Action.CONFIRM),
    ),
    Row(
        (S.SHIPPED_AFTER_CANCEL, S.EXTERNALLY_SHIPPED),
        (Seen.IGNORE,),
        Rule(reason="seen_by_person", action=Action.ACKNOWLEDGE),
    ),
    Row((S.CANCELLED_AT_WAREHOUSE, S.CANCEL_REFUSED, S.FAILED), (Seen.IGNORE,), Rule(reason="seen_by_person")),
    Row(EVERY_STATE, PERSON_SEEN, STAY),
)

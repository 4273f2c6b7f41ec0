"""What the warehouse's answers to a create and to a look-up change. Nothing is created twice on a guess.

A worker that takes up a READY order makes it SENDING, and the ledger commits that before any call. The look-up comes
before each create, except before the first one where the warehouse refuses a number that it has. The create follows
only a look-up that found nothing, or none was wanted for an order that cannot be there. Whatever ends without a sure
answer becomes UNKNOWN, which only look-ups end.
"""

from __future__ import annotations

from pipeline.fulfilment.rules.decision import conditions as if_
from pipeline.fulfilment.rules.decision.shipments import cancel_rows
from pipeline.fulfilment.rules.decision.words import (
    AT_WAREHOUSE,
    BEFORE_SENDING,
    CANCELLING,
    EVERY_STATE,
    IN_DOUBT,
    STAY,
    Action,
    Row,
    Rule,
    S,
    Seen,
)

DELIVERY_SEEN = (
    Seen.TURN,
    Seen.CREATED,
    Seen.EXISTS,
    Seen.FOUND,
    Seen.FOUND_OTHER,
    Seen.FOUND_CANCELLED,
    Seen.NOT_FOUND,
    Seen.REJECTED,
    Seen.NOT_DONE,
    Seen.NOT_NOW,
    Seen.MAY_BE_DONE,
    Seen.OUTCOME_UNKNOWN,
    Seen.STUCK,
    Seen.CANNOT_LOOK_UP,
    Seen.EXHAUSTED,
)
NUMBER_TAKEN = "number_taken"  # of an order that is there before ours: only what it shows makes it this box
_TAKEN = (Seen.CREATED, Seen.FOUND)
_NOT_DONE = (Seen.NOT_DONE, Seen.NOT_NOW)
_NEVER_SENT = Rule(S.CANCELLED, "cancelled_before_sending", is_cancel_wanted=False)
_CANCELLED = Rule(S.CANCELLED, "cancelled_at_cratejoy", may_exist=True)
_CANCELLED_THERE = Rule(S.CANCELLED_AT_WAREHOUSE, "cancelled_by_warehouse", may_exist=True)
_MISS = Rule(is_missed=True, wait_s=if_.MISS_AGAIN_AFTER_S)

DELIVERY_ROWS: tuple[Row, ...] = (
    # A worker takes it up.
    Row((S.READY,), (Seen.TURN,), Rule(S.HELD, "outcome_unknown"), if_.cannot_know),
    Row((S.READY,), (Seen.TURN,), Rule(S.SENDING, "", Action.LOOK_UP), if_.needs_look_up),
    Row((S.READY,), (Seen.TURN,), Rule(S.SENDING, "", Action.CREATE)),
    Row((S.UNKNOWN,), (Seen.TURN,), Rule(action=Action.LOOK_UP)),
    # The warehouse has it.
    *cancel_rows(IN_DOUBT, _TAKEN, if_.is_cancel_wanted),
    Row((*IN_DOUBT, *BEFORE_SENDING, S.FAILED), _TAKEN, Rule(S.AT_WAREHOUSE, "", may_exist=True)),
    # A cancel looks first, too: it may have been asked for by a worker that is gone.
    Row((S.CANCEL_REQUESTED,), (Seen.FOUND,), Rule(is_failure=True), if_.has_reason("cancel_pending")),
    Row((S.CANCEL_REQUESTED,), (Seen.FOUND,), Rule(action=Action.ASK_CANCEL)),
    # An answer that comes so late that the order was given up as never sent.
    *cancel_rows((S.CANCELLED,), (Seen.CREATED,)),
    # It has it as cancelled.
    Row(IN_DOUBT, (Seen.FOUND_CANCELLED,), _CANCELLED, if_.is_cancel_wanted),
    Row((*IN_DOUBT, *AT_WAREHOUSE), (Seen.FOUND_CANCELLED,), _CANCELLED_THERE),
    Row(CANCELLING, (Seen.FOUND_CANCELLED,), _CANCELLED),
    # It has another box.
    Row(IN_DOUBT, (Seen.FOUND_OTHER,), Rule(S.HELD, "conflict", may_exist=True)),
    Row((S.SENDING,), (Seen.EXISTS,), Rule(S.HELD, "conflict", may_exist=True), if_.is_first_and_blind),
    Row((S.SENDING,), (Seen.EXISTS,), Rule(S.UNKNOWN, NUMBER_TAKEN, Action.LOOK_UP, may_exist=True), if_.is_first),
    Row(IN_DOUBT, (Seen.EXISTS,), Rule(S.UNKNOWN, "", Action.LOOK_UP, may_exist=True)),
    # The warehouse does not have it.
    Row((S.SENDING,), (Seen.NOT_FOUND,), _NEVER_SENT, if_.is_never_sent_cancel),
    Row((S.SENDING,), (Seen.NOT_FOUND,), Rule(S.UNKNOWN, "", is_missed=True), if_.is_cancel_wanted),
    Row((S.SENDING,), (Seen.NOT_FOUND,), Rule(action=Action.CREATE)),
    Row((S.UNKNOWN,), (Seen.NOT_FOUND,), _NEVER_SENT, if_.both(if_.is_missed_again, if_.is_cancel_wanted)),
    Row((S.UNKNOWN,), (Seen.NOT_FOUND,), Rule(S.READY, ""), if_.is_missed_again),
    Row((S.UNKNOWN,), (Seen.NOT_FOUND,), _MISS),
    Row((S.CANCEL_REQUESTED,), (Seen.NOT_FOUND,), Rule(S.CANCELLED, "cancelled_at_cratejoy"), if_.is_missed_again),
    Row((*AT_WAREHOUSE, S.CANCEL_REFUSED), (Seen.NOT_FOUND,), Rule(notice="not_at_warehouse"), if_.is_missed_again),
    Row((*AT_WAREHOUSE, *CANCELLING), (Seen.NOT_FOUND,), _MISS),
    # Refused, or not done.
    Row(IN_DOUBT, (Seen.REJECTED,), _NEVER_SENT, if_.is_never_sent_cancel),
    Row((S.SENDING,), (Seen.REJECTED,), Rule(S.HELD, "rejected_by_warehouse")),
    Row((S.UNKNOWN, S.AT_WAREHOUSE), (Seen.REJECTED,), Rule(S.HELD, "rejected_by_warehouse", may_exist=True)),
    Row((S.CANCEL_REQUESTED, S.CANCEL_REFUSED), (Seen.REJECTED,), Rule(S.CANCELLED, "cancelled_at_cratejoy")),
    Row((S.SENDING,), _NOT_DONE, _NEVER_SENT, if_.is_never_sent_cancel),
    Row((S.SENDING,), _NOT_DONE, Rule(S.UNKNOWN, "", Action.LOOK_UP), if_.is_cancel_wanted),
    Row((S.SENDING,), (Seen.NOT_DONE,), Rule(S.READY, "", is_failure=True)),
    Row((S.SENDING,), (Seen.NOT_NOW,), Rule(S.READY, "")),
    # Shipped, and Cratejoy did not take it now: the shipment is read again before the next attempt.
    Row((S.CONFIRMING,), (Seen.NOT_DONE,), Rule(S.SHIPPED, is_failure=True)),
    Row((S.CONFIRMING,), (Seen.NOT_NOW,), Rule(S.SHIPPED)),
    Row((S.UNKNOWN, S.CANCEL_REQUESTED), (Seen.NOT_DONE,), Rule(is_failure=True)),
    # Not known.
    *cancel_rows((S.SENDING,), (Seen.MAY_BE_DONE,), if_.is_cancel_wanted),
    Row((S.SENDING,), (Seen.MAY_BE_DONE,), Rule(S.READY, "", may_exist=True, is_failure=True), if_.repeats_safely),
    Row(
        (S.SENDING,),
        (Seen.MAY_BE_DONE, Seen.OUTCOME_UNKNOWN),
        Rule(S.UNKNOWN, "", may_exist=True, wait_s=if_.LOOK_UP_AFTER_S),
    ),
    Row((S.SENDING,), (Seen.STUCK,), Rule(S.UNKNOWN, "", Action.LOOK_UP, may_exist=True)),
    Row((S.CONFIRMING,), (Seen.STUCK,), Rule(S.SHIPPED, action=Action.CONFIRM)),
    *cancel_rows(IN_DOUBT, (Seen.CANNOT_LOOK_UP,), if_.is_cancel_wanted),
    Row(IN_DOUBT, (Seen.CANNOT_LOOK_UP,), Rule(S.READY, ""), if_.repeats_safely),
    Row(IN_DOUBT, (Seen.CANNOT_LOOK_UP,), Rule(S.HELD, "outcome_unknown", may_exist=True)),
    # Tried for as long as it is tried.
    Row((S.READY, *IN_DOUBT), (Seen.EXHAUSTED,), Rule(S.FAILED, "delivery_failed")),
    Row((S.SHIPPED, S.CONFIRMING), (Seen.EXHAUSTED,), Rule(S.FAILED, "confirm_failed")),
    Row((S.CANCEL_REQUESTED,), (Seen.EXHAUSTED,), Rule(S.CANCEL_REFUSED, "no_answer")),
    Row(EVERY_STATE, DELIVERY_SEEN, STAY),
)

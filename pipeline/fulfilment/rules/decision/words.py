"""The words of the decision: what was seen, where an order stands, what is to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from pipeline.core.fulfilment import State


class Seen(StrEnum):
    """What was seen: at Cratejoy, in an answer of the warehouse, or that a person wants."""

    # The shipment at Cratejoy, as `see_shipment` reads it.
    WAITS = "waits"  # not due, or cooling off
    HOLDS = "holds"
    UNPAID = "unpaid"
    DUE = "due"
    DUE_CHANGED = "due_changed"  # due, and another box than the one that was sent or refused
    EXCLUDED = "excluded"  # left out by the settings
    CANCELLED = "cancelled"
    SHIPPED_ELSEWHERE = "shipped_elsewhere"  # marked as shipped, not with a tracking number of ours
    SHIPPED_AS_OURS = "shipped_as_ours"  # with a tracking number of ours: an echo of what we wrote
    GONE = "gone"  # Cratejoy answers 404

    # Giving the order to the warehouse, and looking it up there.
    TURN = "turn"  # a worker takes it up; the shipment has just been read by id
    CREATED = "created"
    EXISTS = "exists"  # the number is taken, and the answer does not show by what
    FOUND = "found"  # the warehouse has it, and it is this box
    FOUND_OTHER = "found_other"  # the warehouse has another box under this number
    FOUND_CANCELLED = "found_cancelled"  # the warehouse has it as cancelled
    NOT_FOUND = "not_found"
    REJECTED = "rejected"  # refused until something is changed
    NOT_DONE = "not_done"  # nothing was done; another attempt later
    NOT_NOW = "not_now"  # rate limit or refused keys: nothing was done, and it counts as no attempt
    MAY_BE_DONE = "may_be_done"  # doing it again is harmless, by the warehouse's promise
    OUTCOME_UNKNOWN = "outcome_unknown"
    STUCK = "stuck"  # its worker has been gone for 10 minutes
    CANNOT_LOOK_UP = "cannot_look_up"  # the warehouse has no such function
    EXHAUSTED = "exhausted"  # tried for as long as it is tried

    # Tracking, by poll or push; `see_packages` reads it.
    COMPLETE = "complete"
    PARTIAL = "partial"
    EXTRA_PACKAGE = "extra_package"  # a parcel that was not known, after Cratejoy was written to
    WITHOUT_TRACKING = "without_tracking"  # shipped, and its tracking may still come
    TRACKING_OVERDUE = "tracking_overdue"  # shipped for a day without tracking
    WAREHOUSE_CANCELLED = "warehouse_cancelled"
    WAREHOUSE_STOPPED = "warehouse_stopped"  # it cannot go on with the order before something is mended there

    # Writing to Cratejoy.
    CONFIRM_TURN = "confirm_turn"
    CONFIRM_DONE = "confirm_done"
    CONFIRM_LATER = "confirm_later"  # no answer or a refusal for now: the shipment is read again first
    CONFIRM_REJECTED = "confirm_rejected"
    OTHER_TRACKING = "other_tracking"  # Cratejoy has a tracking number that is not ours

    # The answer to a cancel.
    CANCEL_DONE = "cancel_done"
    CANCEL_PENDING = "cancel_pending"
    CANCEL_REFUSED = "cancel_refused"
    CANCEL_UNSUPPORTED = "cancel_unsupported"
    CANCEL_UNKNOWN = "cancel_unknown"

    # What a person wants.
    RELEASE = "release"
    RETRY = "retry"
    MARK_SENT = "mark_sent"  # the warehouse has it, a person says
    WRITE_TRACKING = "write_tracking"
    IGNORE = "ignore"


class Action(StrEnum):
    """What the step has to do after the decision is committed. Each returns with what it then sees."""

    NONE = "none"
    LOOK_UP = "look_up"  # find the order at the warehouse
    CREATE = "create"
    ASK_CANCEL = "ask_cancel"
    CONFIRM = "confirm"  # read the shipment, then write the tracking to Cratejoy
    UPDATE_TRACKING = "update_tracking"  # write a further tracking number, without the status
    ACKNOWLEDGE = "acknowledge"
    QUARANTINE = "quarantine"  # keep the parcel apart: it is of no box that we sent


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands, as the ledger has it.

    `may_exist`: the warehouse has, had or may have an order of this number: from the first call that ended with
    anything but a sure refusal. `missed_at` (µs): when the warehouse first did not find it, since it last had it.
    """

    state: State
    reason: str = ""
    may_exist: bool = False
    is_cancel_wanted: bool = False  # cancelled at Cratejoy while the outcome at the warehouse is unknown
    missed_at: int | None = None
    is_elsewhere: bool = False  # it may be at a warehouse that the store had before: the present one is not asked


@dataclass(frozen=True, slots=True)
class Policy:
    """What the settings and the warehouse allow."""

    can_cancel: bool = True  # the setting and the warehouse
    can_look_up: bool = True
    looks_up_first: bool = True
    repeats_safely: bool = False  # the same create twice makes one order, by the warehouse's promise
    refuses_duplicates: bool = False  # a number that it has is refused, by the warehouse's promise
    confirms_first_package: bool = False
    cancels_if_externally_shipped: bool = False
    updates_tracking: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What the ledger writes down, and what is done then. All but `action`, `notice` and the waits is the new standing.

    `is_failure`: an attempt failed, and the next one is by `retries.py`. `wait_s`: not before; None: as soon as may be,
    or as the warehouse's answer says. `notice`: a code of `reasons.py` for a person, beside the state.
    """

    state: State
    reason: str
    may_exist: bool
    is_cancel_wanted: bool
    missed_at: int | None
    action: Action = Action.NONE
    notice: str = ""
    is_failure: bool = False
    wait_s: int | None = None


Condition = Callable[[Standing, Policy, int], bool]

KEEP = "(keep)"  # the reason stays
SIGHT = "(sight)"  # the reason is that of what was seen


@dataclass(frozen=True, slots=True)
class Rule:
    """What one row of a table changes. None: it stays as it is."""

    state: State | None = None
    reason: str = KEEP
    action: Action = Action.NONE
    may_exist: bool | None = None
    is_cancel_wanted: bool | None = None
    is_missed: bool = False  # the warehouse did not find it: the time of the first such answer is kept
    notice: str = ""
    is_failure: bool = False
    wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """In any of these states, when any of this is seen, and if the condition holds: the rule. The first row counts."""

    states: tuple[State, ...]
    seen: tuple[Seen, ...]
    rule: Rule
    when: Condition | None = None


STAY = Rule()
# A shipment that no order is known of: what it is decided as, is its first standing.
NEVER_SEEN = Standing(State.SKIPPED)
S = State
EVERY_STATE = tuple(State)
BEFORE_SENDING = (S.DISCOVERED, S.HELD, S.READY, S.SKIPPED)
IN_DOUBT = (S.SENDING, S.UNKNOWN)
AT_WAREHOUSE = (S.AT_WAREHOUSE, S.PARTIALLY_SHIPPED)
CANCELLING = (S.CANCEL_REQUESTED, S.CANCEL_REFUSED)
LEAVING = (S.SHIPPED, S.CONFIRMING)
# Holds that no look at the shipment ends by itself: the warehouse, or a person, has to answer first.
LASTING_HOLDS = frozenset(["rejected_by_warehouse", "conflict", "uncancelled", "outcome_unknown"])

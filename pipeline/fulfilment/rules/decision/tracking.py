"""What parcels change, and the writing of their tracking to Cratejoy: once, and only with evidence."""

from __future__ import annotations

from pipeline.fulfilment.rules.decision import conditions as if_
from pipeline.fulfilment.rules.decision.words import (
    AT_WAREHOUSE,
    BEFORE_SENDING,
    CANCELLING,
    EVERY_STATE,
    IN_DOUBT,
    LEAVING,
    STAY,
    Action,
    Row,
    Rule,
    S,
    Seen,
)

TRACKING_SEEN = (
    Seen.COMPLETE,
    Seen.PARTIAL,
    Seen.EXTRA_PACKAGE,
    Seen.WITHOUT_TRACKING,
    Seen.TRACKING_OVERDUE,
    Seen.WAREHOUSE_CANCELLED,
    Seen.WAREHOUSE_STOPPED,
)
CONFIRM_SEEN = (
    Seen.CONFIRM_TURN,
    Seen.CONFIRM_DONE,
    Seen.CONFIRM_LATER,
    Seen.CONFIRM_REJECTED,
    Seen.OTHER_TRACKING,
)
_NOT_FOR_WANT_OF_PARCELS = ("confirm_failed", "confirm_rejected", "shipment_gone", "seen_by_person")
_PARCELS = (Seen.COMPLETE, Seen.PARTIAL)
_SHIPPED = Rule(S.SHIPPED, "", Action.CONFIRM, may_exist=True)
_PARTLY_CONFIRMED = Rule(S.PARTIALLY_SHIPPED, "", Action.CONFIRM, may_exist=True)
_PARTLY = Rule(S.PARTIALLY_SHIPPED, "", may_exist=True)
_APART = Rule(action=Action.QUARANTINE)
_AFTER_CANCEL = Rule(S.SHIPPED_AFTER_CANCEL, "parcel_after_cancel", may_exist=True)
_AT_WAREHOUSE_SOMEHOW = (*IN_DOUBT, *AT_WAREHOUSE, *CANCELLING)

TRACKING_ROWS: tuple[Row, ...] = (
    # Never sent by us: an order that was made by hand, or another shop's.
    Row((S.HELD,), _PARCELS, _APART, if_.has_reason("conflict")),
    Row((S.FAILED,), _PARCELS, STAY, if_.has_reason(*_NOT_FOR_WANT_OF_PARCELS)),
    Row((*BEFORE_SENDING, S.FAILED), (Seen.COMPLETE,), _SHIPPED, if_.may_exist),
    Row((*BEFORE_SENDING, S.FAILED), (Seen.PARTIAL,), _PARTLY, if_.may_exist),
    Row((*BEFORE_SENDING, S.FAILED), _PARCELS, _APART),
    # A cancel that is under way or refused: the confirming reads the shipment, and finds it cancelled.
    Row(_AT_WAREHOUSE_SOMEHOW, (Seen.COMPLETE,), _SHIPPED),
    Row((*IN_DOUBT, *AT_WAREHOUSE), (Seen.PARTIAL,), _PARTLY_CONFIRMED, if_.confirms_first_package),
    Row((*IN_DOUBT, *AT_WAREHOUSE), (Seen.PARTIAL,), _PARTLY),
    Row(CANCELLING, (Seen.PARTIAL,), _AFTER_CANCEL),
    Row((*AT_WAREHOUSE, *CANCELLING), (Seen.TRACKING_OVERDUE,), Rule(notice="no_tracking")),
    # Cancelled, and a parcel left all the same: it is a fact, and a person decides what Cratejoy shows.
    Row((S.CANCELLED,), _PARCELS, _AFTER_CANCEL),
    Row((S.CANCELLED_AT_WAREHOUSE,), (Seen.COMPLETE,), _SHIPPED),
    Row((S.CANCELLED_AT_WAREHOUSE,), (Seen.PARTIAL,), _PARTLY),
    # Confirmed: offered again, so that it is acknowledged again.
    Row((S.CONFIRMED,), _PARCELS, Rule(action=Action.ACKNOWLEDGE)),
    Row((S.CONFIRMED,), (Seen.EXTRA_PACKAGE,), Rule(action=Action.UPDATE_TRACKING), if_.updates_tracking),
    Row((S.CONFIRMED,), (Seen.EXTRA_PACKAGE,), Rule(action=Action.ACKNOWLEDGE), if_.confirms_first_package),
    Row((S.CONFIRMED,), (Seen.EXTRA_PACKAGE,), Rule(action=Action.ACKNOWLEDGE, notice="more_packages")),
    Row((S.EXTERNALLY_SHIPPED,), _PARCELS, Rule(action=Action.ACKNOWLEDGE)),
    Row((*AT_WAREHOUSE, *CANCELLING), (Seen.WAREHOUSE_STOPPED,), Rule(notice="stopped_at_warehouse")),
    # Cancelled inside the warehouse.
    Row(IN_DOUBT, (Seen.WAREHOUSE_CANCELLED,), Rule(S.CANCELLED, "cancelled_at_cratejoy"), if_.is_cancel_wanted),
    Row(CANCELLING, (Seen.WAREHOUSE_CANCELLED,), Rule(S.CANCELLED, "cancelled_at_cratejoy")),
    Row(
        (S.PARTIALLY_SHIPPED,),
        (Seen.WAREHOUSE_CANCELLED,),
        Rule(S.CANCELLED_AT_WAREHOUSE, "partly_shipped_and_cancelled"),
    ),
    Row(
        (*IN_DOUBT, S.AT_WAREHOUSE),
        (Seen.WAREHOUSE_CANCELLED,),
        Rule(S.CANCELLED_AT_WAREHOUSE, "cancelled_by_warehouse", may_exist=True),
    ),
    Row(EVERY_STATE, TRACKING_SEEN, STAY),
)

CONFIRM_ROWS: tuple[Row, ...] = (
    # The reason stays while it is written: a person may have decided that it is.
    Row((S.SHIPPED,), (Seen.CONFIRM_TURN,), Rule(S.CONFIRMING, action=Action.CONFIRM)),
    Row(
        (S.PARTIALLY_SHIPPED,),
        (Seen.CONFIRM_TURN,),
        Rule(S.CONFIRMING, action=Action.CONFIRM),
        if_.confirms_first_package,
    ),
    Row(LEAVING, (Seen.CONFIRM_DONE,), Rule(S.CONFIRMED, "", Action.ACKNOWLEDGE)),
    Row((S.CONFIRMING,), (Seen.CONFIRM_LATER,), Rule(S.SHIPPED, is_failure=True)),
    Row((S.CONFIRMING,), (Seen.CONFIRM_REJECTED,), Rule(S.FAILED, "confirm_rejected")),
    Row(LEAVING, (Seen.OTHER_TRACKING,), Rule(S.EXTERNALLY_SHIPPED, "other_tracking")),
    Row(EVERY_STATE, CONFIRM_SEEN, STAY),
)

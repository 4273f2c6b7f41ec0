"""Deliveries and lanes in the ledger; every function works inside the caller's transaction."""

from pipeline.ledger.connections import pause_connection, resume_connection
from pipeline.ledger.deliveries.claim import claim, promote_to_live
from pipeline.ledger.deliveries.due import LaneState, find_next_priority, list_due_lanes, peek_lane
from pipeline.ledger.deliveries.lanes import HeldLane, acquire_lane, clear_lane, postpone_lane
from pipeline.ledger.deliveries.settle import DeliveryOutcome, settle
from pipeline.ledger.deliveries.withhold import stop_pending, take_out_withheld

__all__ = [
    "DeliveryOutcome",
    "HeldLane",
    "LaneState",
    "acquire_lane",
    "claim",
    "clear_lane",
    "find_next_priority",
    "list_due_lanes",
    "pause_connection",
    "peek_lane",
    "postpone_lane",
    "promote_to_live",
    "resume_connection",
    "settle",
    "stop_pending",
    "take_out_withheld",
]

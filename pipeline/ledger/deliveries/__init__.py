"""Deliveries and lanes in the ledger; every function works inside the caller's transaction."""

from pipeline.ledger.connections import pause_connection, resume_connection
from pipeline.ledger.deliveries.claim import Claims, LaneClaim, claim, claim_lanes, promote_to_live
from pipeline.ledger.deliveries.due import (
    LaneState,
    find_next_priorities,
    find_next_priority,
    list_due_lanes,
    peek_lane,
    peek_lanes,
)
from pipeline.ledger.deliveries.lanes import HeldLane, LaneId, acquire_lane, clear_lane, postpone_lane
from pipeline.ledger.deliveries.settle import DeliveryOutcome, LaneWait, Settled, Settlement, settle, settle_lanes
from pipeline.ledger.deliveries.withhold import stop_pending

__all__ = [
    "Claims",
    "DeliveryOutcome",
    "HeldLane",
    "LaneClaim",
    "LaneId",
    "LaneState",
    "LaneWait",
    "Settled",
    "Settlement",
    "acquire_lane",
    "claim",
    "claim_lanes",
    "clear_lane",
    "find_next_priorities",
    "find_next_priority",
    "list_due_lanes",
    "pause_connection",
    "peek_lane",
    "peek_lanes",
    "postpone_lane",
    "promote_to_live",
    "resume_connection",
    "settle",
    "settle_lanes",
    "stop_pending",
]

"""What the lanes need of the ledger; every function works inside the caller's transaction."""

from pipeline.ledger.deliveries.claim import claim
from pipeline.ledger.deliveries.due import LaneSeen, due_lanes, look_at_lane, next_in_lane
from pipeline.ledger.deliveries.give_way import let_go_first
from pipeline.ledger.deliveries.lane import LaneTaken, clear_lane, postpone_lane, take_lane
from pipeline.ledger.deliveries.pause import pause_connection, resume_connection
from pipeline.ledger.deliveries.settle import Settled, settle

__all__ = [
    "LaneSeen",
    "LaneTaken",
    "Settled",
    "claim",
    "clear_lane",
    "due_lanes",
    "let_go_first",
    "look_at_lane",
    "next_in_lane",
    "pause_connection",
    "postpone_lane",
    "resume_connection",
    "settle",
    "take_lane",
]

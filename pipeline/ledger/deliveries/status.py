"""The states of a delivery, and the conditions on them that the partial indexes contain.

The values are written into the SQL as literals: a query whose condition has bound parameters may not use a partial
index.
"""

from __future__ import annotations

from sqlalchemy import and_, case, exists, literal
from sqlalchemy.orm import aliased

from pipeline.core.messages import BACKFILL_PRIORITY
from pipeline.ledger.schema.core import Delivery, Lane

OPEN = Delivery.done_at.is_(None)
PENDING = Delivery.status == literal("pending", literal_execute=True)
SENDING = Delivery.status == literal("sending", literal_execute=True)  # written by versions before revision 0048
DEAD = Delivery.status == literal("dead", literal_execute=True)
IS_BACKFILL = Delivery.priority == literal(BACKFILL_PRIORITY, literal_execute=True)

# A claim writes no message: it notes in the lane's row how far it goes. It has everything that was pending up to there,
# of its priority or before. What is made pending in an old place meanwhile counts as claimed until it is settled.
_claiming = aliased(Lane)
_IS_IN_CLAIM = (
    _claiming.connection_id == Delivery.connection_id,
    _claiming.lane == Delivery.lane,
    _claiming.claimed_token == _claiming.token,  # a holder of an earlier version leaves the others' claim behind
    Delivery.id <= _claiming.claimed_to,
    Delivery.priority <= _claiming.claimed_priority,
)
IS_CLAIMED = exists().where(*_IS_IN_CLAIM).correlate(Delivery)  # of a pending delivery: whether it is being sent
STATUS_NOW = case((and_(PENDING, IS_CLAIMED), "sending"), else_=Delivery.status)

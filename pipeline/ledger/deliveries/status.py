"""The states of a delivery, and the conditions on them that the partial indexes contain.

The values are written into the SQL as literals: a query whose condition has bound parameters may not use a partial
index.
"""

from __future__ import annotations

from sqlalchemy import literal

from pipeline.core.messages import BACKFILL_PRIORITY
from pipeline.ledger.schema.core import Delivery

OPEN = Delivery.done_at.is_(None)
PENDING = Delivery.status == literal("pending", literal_execute=True)
SENDING = Delivery.status == literal("sending", literal_execute=True)
DEAD = Delivery.status == literal("dead", literal_execute=True)
IS_BACKFILL = Delivery.priority == literal(BACKFILL_PRIORITY, literal_execute=True)

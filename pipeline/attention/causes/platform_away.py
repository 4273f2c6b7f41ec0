"""A platform has taken nothing for minutes although messages wait: it is away, or answers with its own faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, exists, select

from pipeline.attention.item import Cause, Item, Sources
from pipeline.attention.waiting import left, title_of, waiting_at
from pipeline.ledger.connections import place_of
from pipeline.ledger.deliveries.words import OPEN
from pipeline.ledger.engine import reading
from pipeline.ledger.silence.alarms import MERCHANT, OPERATOR
from pipeline.ledger.tables import Connection as Link
from pipeline.ledger.tables import Delivery, Lane, Store
from pipeline.plural import counted

NAME = "platform_takes_nothing"
AFTER_US = 180_000_000  # a mail about it has left before the fifth minute
_OURS = ("our own fault", "CRATEWIRE_SECRET_KEY", "unusable URL")
_TO_DO = {
    MERCHANT: (
        "See whether {title} reports trouble. If it does not, see whether this machine reaches it: `cratewire doctor`."
    ),
    OPERATOR: 'Look at the worker\'s log, and at docs/operations.md under "What a lane waits for".',
}


def _look(sources: Sources) -> Iterator[Item]:
    with reading(sources.engine) as db:
        for connection_id, lanes in _failing(db, sources.now - AFTER_US).items():
            yield _item(db, connection_id, lanes)


def _failing(db: Connection, since: int) -> dict[int, list[Any]]:
    """Lanes of active connections in which something waits and every attempt since then has failed."""
    waits = exists().where(Delivery.connection_id == Lane.connection_id, Delivery.lane == Lane.lane, OPEN)
    columns = (Lane.connection_id, Lane.failing_since, Lane.attempts, Lane.reason, Link.platform, Link.label)
    query = (
        select(*columns, Store.id.label("store_id"), Store.name.label("store"))
        .join(Link, Link.id == Lane.connection_id)
        .join(Store, Store.id == Link.store_id)
        .where(Lane.failing_since <= since, Link.status == "active", waits)
        .order_by(Lane.connection_id, Lane.failing_since)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in db.execute(query):
        found[row.connection_id].append(row)
    return found


def _item(db: Connection, connection_id: int, lanes: Sequence[Any]) -> Item:
    first, title = lanes[0], title_of(lanes[0].platform, lanes[0].label)
    waiting = waiting_at(db, connection_id)
    audience = OPERATOR if str(first.reason).startswith(_OURS) else MERCHANT
    attempts = sum(lane.attempts for lane in lanes)
    return Item(
        NAME,
        place_of(first.store, first.platform, first.label),
        audience,
        f"{first.store}: {title} takes nothing ({first.reason})",
        f"{waiting}. Everything is kept, and leaves in order when {title} takes it.",
        _TO_DO[audience].format(title=title),
        first.failing_since,
        first.store,
        first.store_id,
        (f"{counted(attempts, 'attempt')} so far; the last one: {first.reason}. Cratewire tries again by itself.",),
        first.reason,
        facts=waiting.facts(connection_id),
    )


CAUSE = Cause(NAME, _look, left)

"""What goes wrong with one box alone: it waits, and after several tries it is set aside for a person; others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis import RedisError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from pipeline.core.errors import BadCredentials, BadResponse, OrderChanged, RateLimited, ServerFault
from pipeline.core.fulfilment import State
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.retries import find_next_attempt
from pipeline.fulfilment.site import Site, log
from pipeline.fulfilment.steps.look import UNREAD_WAIT_US
from pipeline.fulfilment.steps.settle import WORK, Sighting, settle
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.orders import OrderRow, change_order, get_order

MAX_TRIES = 5
# What would go wrong with every box now: a server of ours, or what Cratejoy says of the store.
OF_ALL_BOXES = (RateLimited, BadCredentials, RedisError, SQLAlchemyError)
# What the rules do with a box whose call has ended in a way that is not known.
_SEEN = {
    State.SENDING: Seen.OUTCOME_UNKNOWN,
    State.UNKNOWN: Seen.NOT_DONE,
    State.CANCEL_REQUESTED: Seen.NOT_DONE,
    State.CONFIRMING: Seen.NOT_DONE,
}


@contextmanager
def one_box(site: Site, row: OrderRow) -> Iterator[None]:
    """Do what is due of one box. Raises only what would go wrong with every box; all else is written down here."""
    try:
        yield
    except OrderChanged:
        log.debug("another worker has gone on with the box", order=row.id)
    except OF_ALL_BOXES:
        raise
    except (ServerFault, BadResponse):  # Cratejoy cannot show it now; this says nothing of the box
        with writing(site.engine) as conn, suppress(OrderChanged):
            change_order(conn, get_order(conn, row.id), site.now(), next_attempt_at=site.now() + UNREAD_WAIT_US)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one box, the others go on
        log.warning("a box is put off", store=site.store_id, order=row.id, error=type(error).__name__, exc_info=True)
        with writing(site.engine) as conn, suppress(OrderChanged):
            _put_off(conn, site, get_order(conn, row.id), type(error).__name__)


def _put_off(conn: Connection, site: Site, row: OrderRow, error: str) -> None:
    """Let the box wait as after any failure; after several in a row it is tried no more before a person has looked."""
    detail = {"error": error}
    if row.state in _SEEN:
        row, _ = settle(conn, site, row, Sighting(_SEEN[row.state], detail=detail))
    else:
        now, failures, since = site.now(), row.attempts + 1, row.trying_since or site.now()
        next_at = find_next_attempt(WORK.get(row.state, "deliver"), failures, since, now) or now
        row = change_order(conn, row, now, attempts=failures, trying_since=since, next_attempt_at=next_at)
    if row.attempts >= MAX_TRIES:
        settle(conn, site, row, Sighting(Seen.EXHAUSTED, detail=detail, columns={"detail": detail}))

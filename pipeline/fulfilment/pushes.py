"""Takes in what a warehouse sends by itself: signed messages about one box each.

A message may come several times, late, or in another order than it was sent: taking it in twice changes nothing. One of
a box that is not known is kept apart, as a poll would, so that the warehouse does not repeat it for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from pipeline.context import Context
from pipeline.core.errors import OrderChanged
from pipeline.core.fulfilment import Invalid, Pushed, PushRefused, WarehouseOrder
from pipeline.fulfilment.rules.decision.words import Seen
from pipeline.fulfilment.rules.order_numbers import format_order_number, parse_order_number
from pipeline.fulfilment.site import OpenWarehouse, Site, log, open_adapter, open_site
from pipeline.fulfilment.steps.settle import Sighting, settle
from pipeline.fulfilment.steps.tracking import take_report
from pipeline.infra import metrics, redis_keys
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.orders import find_order

PushStatus = Literal["taken", "known", "unsigned", "malformed", "not_here"]

_KNOWN_FOR_S = 86_400  # a repetition after that is taken in again, and changes nothing
_MAX_TRIES = 3


def take_push(
    context: Context,
    store_id: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    open_warehouse: OpenWarehouse = open_adapter,
) -> PushStatus:
    """Verify a message and take it in. `headers`: names in lower case.

    not_here: the store has no warehouse that sends messages. Raises OrderChanged if other workers change the box all
    the time, and Misconfigured if the warehouse's keys cannot be used: the sender repeats the message then.
    """
    site = open_site(context, store_id, open_warehouse=open_warehouse)
    if site is None:
        return "not_here"
    verified = verify_push(site, headers, body)
    return take_verified(site, verified) if isinstance(verified, Pushed) else verified


def verify_push(site: Site, headers: Mapping[str, str], body: bytes) -> Pushed | PushStatus:
    """What a message says, or why it is not taken. Nothing is asked or read for it."""
    pushed = site.warehouse.read_push(headers, body)
    if isinstance(pushed, PushRefused):
        log.warning("a message of a warehouse is refused", store=site.store_id, kind=pushed.kind, reason=pushed.reason)
        return "unsigned" if pushed.kind == "signature" else "malformed"
    return pushed if isinstance(pushed, Pushed) else "not_here"


def take_verified(site: Site, pushed: Pushed) -> PushStatus:
    """Take in what a warehouse has signed. Raises as `take_push` does."""
    redis = site.context.redis
    key = redis_keys.taken_push(site.store_id, hashlib.sha256(pushed.message_id.encode()).hexdigest())
    if redis.exists(key):
        return "known"
    _take(site, pushed)
    redis.set(key, 1, ex=_KNOWN_FOR_S)  # after the commit: what was not taken in is not known
    return "taken"


def _take(site: Site, pushed: Pushed) -> None:
    if pushed.order is None:
        return
    number = parse_order_number(pushed.order.order_number)
    if number is None:
        metrics.FOREIGN_TRACKING.inc()
        return
    for tries_left in reversed(range(_MAX_TRIES)):
        try:
            _write(site, format_order_number(number), pushed.order, pushed.refusal)
        except OrderChanged:
            if not tries_left:
                raise
        else:
            return


def _write(site: Site, order_number: str, reported: WarehouseOrder, refusal: Invalid | None) -> None:
    with writing(site.engine) as conn:
        if refusal is None:
            take_report(conn, site, order_number, reported, "push")
            return
        row = find_order(conn, site.store_id, order_number)
        if row is not None:
            detail = {"fields": [list(one) for one in refusal.fields]}
            settle(conn, site, row, Sighting(Seen.REJECTED, detail=detail, columns={"detail": detail}))

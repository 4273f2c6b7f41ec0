"""Works on one lane of a store's fulfilment for a few seconds. The sweep goes on where it ended.

A lease keeps two workers from the same lane; should both be at work all the same, each box is changed by one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.context import Context
from pipeline.core.errors import BadCredentials, CratewireError, Misconfigured, RateLimited
from pipeline.fulfilment.schedule import PULL_LANES, Lane
from pipeline.fulfilment.site import OpenWarehouse, Site, open_adapter, open_site
from pipeline.fulfilment.steps import confirm, deliver, pull, tracking
from pipeline.fulfilment.steps.deliver import Turn
from pipeline.fulfilment.steps.settle import SECOND_US
from pipeline.fulfilment.steps.volume import guard_volume
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import find_shipments_of, list_orders_of
from pipeline.ledger.fulfilment.warehouses import KEYS_UNUSABLE, LIVE, find_warehouse, pause_warehouse, update_warehouse
from pipeline.ledger.store_apis import record_key_check

# Of one task: then the worker takes up other tasks. One reading at Cratejoy and one look-up serve what is sent in it.
MAX_RUN_US = 6 * SECOND_US
LEASE_MS = 2_000  # how long a killed worker blocks its lane; a living one renews the lease


@dataclass(frozen=True, slots=True)
class LaneRun:
    """How far a task came. `resume_in_s`: when to go on; None: the sweep decides. `error`: what stopped it."""

    resume_in_s: float | None = None
    error: str | None = None


def run_lane(context: Context, store_id: int, lane: Lane, *, open_warehouse: OpenWarehouse = open_adapter) -> LaneRun:
    """Do what is due in this lane. Raises redis.RedisError or SQLAlchemyError if one of our servers does not answer."""
    lease = Lease(context.redis, redis_keys.fulfilment_lease(store_id, lane), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        return _run(context, store_id, lane, open_warehouse) if is_held else LaneRun()


def _run(context: Context, store_id: int, lane: Lane, open_warehouse: OpenWarehouse) -> LaneRun:
    return _open_and_do(context, store_id, open_warehouse, _WORK[lane])


def _open_and_do(
    context: Context, store_id: int, open_warehouse: OpenWarehouse, do: Callable[[Site], LaneRun]
) -> LaneRun:
    """Do this with the store's fulfilment, and write down why that cannot be opened, or asks Cratejoy in vain."""
    try:
        site = open_site(context, store_id, open_warehouse=open_warehouse)
    except Misconfigured as error:
        with writing(context.engine) as conn:
            pause_warehouse(conn, store_id, str(error), context.now())
            update_warehouse(conn, store_id, trouble=KEYS_UNUSABLE)
        return LaneRun(error=str(error))
    if site is None:
        return LaneRun()
    try:
        return do(site)
    except RateLimited as wait:
        return LaneRun(wait.seconds)
    except BadCredentials as error:
        with writing(context.engine) as conn:
            record_key_check(conn, store_id, str(error), context.now())
        return LaneRun(error=str(error))
    except CratewireError as error:
        return LaneRun(error=str(error))


def look_at_hinted(
    context: Context,
    store_id: int,
    hints: Sequence[tuple[str, int]],
    since: int,
    *,
    open_warehouse: OpenWarehouse = open_adapter,
) -> LaneRun:
    """Read what hooks have hinted at, unless it was read since then (µs).

    Nothing of a hook is believed: the shipments are read through the API.
    """
    return _open_and_do(context, store_id, open_warehouse, lambda site: _look_at(site, hints, since))


def _look_at(site: Site, hints: Sequence[tuple[str, int]], since: int) -> LaneRun:
    wanted = [number for kind, number in hints if kind == "shipment"]
    with reading(site.engine) as conn:
        for kind in ("subscription", "order"):
            numbers = [number for of, number in hints if of == kind]
            wanted += find_shipments_of(conn, site.store_id, kind, numbers) if numbers else []
        known = list_orders_of(conn, site.store_id, wanted)
    read = {number for number, row in known.items() if (row.cratejoy_checked_at or 0) >= since}
    pull.look_at(site, [number for number in dict.fromkeys(wanted) if number not in read])
    return LaneRun()


def _pull(site: Site, lane: Lane) -> LaneRun:
    pulled = pull.pull_shipments(site, PULL_LANES[lane])
    return LaneRun(pulled.resume_in_s, pulled.error)


def _cancels(site: Site) -> LaneRun:
    pulled = pull.pull_cancels(site)
    return LaneRun(pulled.resume_in_s, pulled.error)


def _tracking(site: Site) -> LaneRun:
    if not site.row.is_called:
        return LaneRun()
    polled = tracking.poll_tracking(site)
    return LaneRun(None if polled.is_done else 0.0, polled.error)


def _deliver(site: Site) -> LaneRun:
    pull.wake(site)
    if not site.row.is_called or site.row.wait_until > site.now():
        return LaneRun()
    deliver.reap(site)
    if site.warehouse.capabilities.exchanges_files or not site.row.is_live or not guard_volume(site):
        return _repeat(site, deliver.reconcile)  # boxes go out with the next export, or when a person lets them pass
    return _repeat(site, deliver.reconcile, deliver.deliver)


def _confirm(site: Site) -> LaneRun:
    if site.row.mode != LIVE:
        return LaneRun()
    deliver.reap(site)
    result = _repeat(site, confirm.confirm, confirm.update_tracking)
    if not site.row.is_called or site.row.wait_until > site.now():
        return result
    return _repeat(site, confirm.acknowledge)


def _repeat(site: Site, *steps: Callable[..., Turn]) -> LaneRun:
    """Take turns until nothing is due, the warehouse is in trouble, or the time is up."""
    until = site.now() + MAX_RUN_US
    for step in steps:
        turn = step(site, until=until)
        while not turn.is_done and not turn.must_stop and site.now() < until:
            turn = step(site, until=until)
        if turn.must_stop:
            return LaneRun(_find_wait_s(site))
        if not turn.is_done:
            return LaneRun(0.0)
    return LaneRun()


def _find_wait_s(site: Site) -> float | None:
    """How long the warehouse is not called, as the last call has left it; None if a person has to act first."""
    with reading(site.engine) as conn:
        row = find_warehouse(conn, site.store_id)
    return max(0.0, (row.wait_until - site.now()) / SECOND_US) if row is not None and row.is_called else None


_WORK: dict[Lane, Callable[[Site], LaneRun]] = {
    "pull_ecom": lambda site: _pull(site, "pull_ecom"),
    "pull_adhoc": lambda site: _pull(site, "pull_adhoc"),
    "pull_standard": lambda site: _pull(site, "pull_standard"),
    "cancels": _cancels,
    "tracking": _tracking,
    "deliver": _deliver,
    "confirm": _confirm,
}

"""Finds boxes in a store's lists: the incremental search of each run, the full sweep once a day, and cancels.

A run reads page after page; each page is committed. The run's start becomes the watermark only if every page was read:
a run that fails leaves the watermark, and what it has committed stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import Connection

from pipeline.core.errors import BadResponse, BrokenPage, CratewireError, OrderChanged, RateLimited, ServerFault
from pipeline.core.fulfilment import BillingType, State
from pipeline.cratejoy.pagination import MAX_PAGES, PageWalk, RawPage
from pipeline.cratejoy.shipments import MAX_IDS
from pipeline.fulfilment.rules.decision.words import Action
from pipeline.fulfilment.rules.eligibility import judge
from pipeline.fulfilment.rules.reading import Unreadable, read_shipment
from pipeline.fulfilment.rules.search_windows import Window, find_cancels_window, find_window, is_sweep_due
from pipeline.fulfilment.rules.shipment import Shipment
from pipeline.fulfilment.site import Site, log
from pipeline.fulfilment.steps.calls import run_calls
from pipeline.fulfilment.steps.look import Found, Look, note, read_due, read_whole
from pipeline.fulfilment.steps.set_aside import one_box
from pipeline.fulfilment.steps.settle import SECOND_US
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import (
    OPEN_STATES,
    OrderRow,
    find_newest_order,
    list_due_orders,
    list_orders_checked_before,
    list_orders_of,
)
from pipeline.ledger.fulfilment.runs import (
    RunRow,
    begin_run,
    end_run,
    find_last_run,
    find_parked_run,
    get_run,
    park_run,
)

CANCELS = "cancels"
MAX_RUN_US = 3 * SECOND_US  # of one task: then the worker takes up other stores
PARKED_US = 3_600 * SECOND_US  # for how long a run that waits is gone on with; an older one begins anew
# A box that is held, or left out for what the list does not show, is read whole so often, or when a hook hints at it.
RECHECK_US = 600 * SECOND_US
DAILY_US = 86_400 * SECOND_US
MAX_RECHECKS = 200  # boxes that are read again in one run of cancels, the longest unread first
_MISSING_PERCENT = 5  # of the rows that a collection counts: with more missing, the run is not complete
SLICE = 50  # shipments that are written down in one transaction
# Listed as unshipped, and the ledger has it as ended or ending: Cratejoy may want it again.
_MAY_COME_BACK = frozenset(
    {State.CANCELLED, State.EXTERNALLY_SHIPPED, State.CANCEL_REFUSED, State.SHIPPED_AFTER_CANCEL}
)


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a run brought. `is_full`: it read everything since the earliest date."""

    pages: int = 0
    rows: int = 0
    is_full: bool = False
    error: str | None = None
    resume_in_s: float | None = None


def get_job(billing_type: BillingType) -> str:
    """The name of the job that searches boxes of this type."""
    return f"pull_{billing_type}"


def pull_shipments(site: Site, billing_type: BillingType) -> Pulled:
    """Search a store's unshipped boxes of one billing type."""
    job = get_job(billing_type)
    with writing(site.engine) as conn:
        now = site.now()
        run = find_parked_run(conn, site.store_id, job, now - PARKED_US)
        good = find_last_run(conn, site.store_id, job, is_ok=True)
        if run is None:
            last = find_last_run(conn, site.store_id, job)
            full = find_last_run(conn, site.store_id, job, is_ok=True, is_full=True)
            has_failed = last is not None and not last.is_ok
            is_full = is_sweep_due(_start(good), _start(full), now, has_failed=has_failed)
            run = get_run(conn, begin_run(conn, site.store_id, job, now, is_full=is_full))
    window = find_window(billing_type, site.settings, None if run.is_full else _start(good), run.started_at)
    return _run(site, run, window)


def _start(run: RunRow | None) -> int | None:
    return None if run is None else run.started_at


def pull_cancels(site: Site) -> Pulled:
    """Look at open boxes that Cratejoy lists as cancelled, and at those that were not read for a day."""
    with writing(site.engine) as conn:
        now = site.now()
        run = find_parked_run(conn, site.store_id, CANCELS, now - PARKED_US)
        run = run or get_run(conn, begin_run(conn, site.store_id, CANCELS, now))
    pulled = _run(site, run, find_cancels_window(run.started_at))
    if pulled.error is None and pulled.resume_in_s is None:
        with reading(site.engine) as conn:
            before = site.now() - DAILY_US
            old = list_orders_checked_before(conn, site.store_id, _REREAD, before, MAX_RECHECKS)
        look_at(site, [row.shipment_id for row in old])
    return pulled


# Boxes that only a reading by id shows to be changed. The others are looked at by every sweep of the lists.
_REREAD = OPEN_STATES - {State.DISCOVERED, State.SKIPPED, State.SENDING, State.CONFIRMING}
_REREAD |= {State.SHIPPED_AFTER_CANCEL}  # the shop may mark it as shipped by hand


def _run(site: Site, run: RunRow, window: Window) -> Pulled:
    """Read on where the run has come to. If the time or the store's budget is used up, it goes on from there later."""
    walk, rows, count = PageWalk(run.cursor or None, run.pages), run.rows, None
    seen: set[int] = set()
    error = run.error  # of what an earlier task of this run could not read
    until = site.now() + MAX_RUN_US
    try:
        while not walk.done:
            if site.now() >= until:
                return _park(site, run, walk, rows, error, 0.0)
            page = _get_page(site, window, walk.next)
            new, fault = _take_page(site, window, page, seen)
            error = error or fault
            rows, count = rows + new, page.count if page.count is not None else count
            walk = walk.after(page, new, MAX_PAGES)
        if walk.stop_reason:
            raise BrokenPage(walk.stop_reason)
        if count is not None and rows < count * (100 - _MISSING_PERCENT) // 100:
            raise BrokenPage(f"{rows} of {count} were shown")
    except RateLimited as wait:
        return _park(site, run, walk, rows, error, wait.seconds)
    except CratewireError as failure:
        error = str(failure)
    with writing(site.engine) as conn:
        end_run(conn, run.id, site.now(), pages=walk.pages, rows=rows, error=error)
    return Pulled(walk.pages, rows, run.is_full, error)


def _park(site: Site, run: RunRow, walk: PageWalk, rows: int, error: str | None, wait_s: float) -> Pulled:
    with writing(site.engine) as conn:
        park_run(conn, run.id, pages=walk.pages, rows=rows, cursor=walk.next, error=error)
    return Pulled(walk.pages, rows, run.is_full, None, wait_s)


def _get_page(site: Site, window: Window, next_: str | None) -> RawPage:
    return site.shipments.list_page([window.status], window.since, window.until, window.billing_type, next_)


def _take_page(site: Site, window: Window, page: RawPage, seen: set[int]) -> tuple[int, str | None]:
    """Write down what a page shows, and read whole what has to be.

    Returns how many of its shipments are new, and why some could not be read: the pages after it are read all the same.
    """
    found = [read_shipment(body, window.billing_type) for body in page.results]
    new = [one for one in found if one.id is not None and one.id not in seen]
    seen.update(one.id for one in new if one.id is not None)
    for one in found:
        if one.id is None:
            log.warning("a shipment without an id", store=site.store_id)
    if window.status == "cancelled":
        return len(new), _try_look(site, _list_open(site, new))
    whole: list[int] = []
    for start in range(0, len(new), SLICE):
        whole += _note_listed(site, new[start : start + SLICE])
    return len(new), _try_look(site, whole)


def _note_listed(site: Site, found: Sequence[Shipment | Unreadable]) -> list[int]:
    """Write down what a list shows, in one transaction; returns the shipments that have to be read whole."""
    whole = []
    with writing(site.engine) as conn:
        known = list_orders_of(conn, site.store_id, [one.id for one in found if one.id is not None])
        for one in sorted(found, key=lambda shipment: shipment.id or 0):
            number = one.id or 0
            with suppress(OrderChanged):  # that worker has just looked at it
                if not _is_enough(conn, site, one, known.get(number)):
                    whole.append(number)
    return whole


def _is_enough(conn: Connection, site: Site, found: Shipment | Unreadable, row: OrderRow | None) -> bool:
    """Whether what the list shows is enough for now: written down if there is anything to write."""
    if row is not None and (row.state is State.HELD or _is_listed_otherwise(site, found, row)):
        return row.cratejoy_checked_at is not None and site.now() - row.cratejoy_checked_at < RECHECK_US
    if row is not None and row.state is State.READY and row.cratejoy_checked_at is None:
        return False
    if row is not None and row.state is State.DISCOVERED and row.reason == "cooling_off":
        return site.now() < row.next_attempt_at  # a list shows no payment, and so would call it ready
    if row is not None and row.state not in (State.DISCOVERED, State.SKIPPED):
        return row.state not in _MAY_COME_BACK
    look = note(conn, site, found.id or 0, found, row)
    return look is None or isinstance(found, Unreadable) or look.row.state not in (State.READY, State.HELD)


def _is_listed_otherwise(site: Site, found: Shipment | Unreadable, row: OrderRow) -> bool:
    """Whether a box is left out, as a test shipment is, that the list alone would call ready."""
    if row.state is not State.SKIPPED or isinstance(found, Unreadable):
        return False
    return judge(found, site.settings, site.now(), first_seen_at=row.first_seen_at).state is not State.SKIPPED


def _list_open(site: Site, found: Sequence[Shipment | Unreadable]) -> list[int]:
    """Those that we have as open, to be read: a list alone cancels nothing."""
    with reading(site.engine) as conn:
        known = list_orders_of(conn, site.store_id, [one.id for one in found if one.id is not None])
    return [number for number, row in known.items() if row.state in OPEN_STATES]


def _try_look(site: Site, shipment_ids: Sequence[int]) -> str | None:
    """Look at these; returns why Cratejoy could not show some of them."""
    try:
        look_at(site, shipment_ids)
    except (ServerFault, BadResponse) as fault:
        return str(fault)
    return None


def look_at(site: Site, shipment_ids: Sequence[int]) -> int:
    """Read these shipments whole, write down what they are, and ask the warehouse to cancel what has to be.

    Returns how many were looked at. Raises what the store's client raises: what was read by then is written down.
    """
    fault: ServerFault | BadResponse | None = None
    wanted = sorted(shipment_ids)  # so that no two workers wait for each other's rows
    for start in range(0, len(wanted), MAX_IDS):
        try:
            found = read_whole(site, wanted[start : start + MAX_IDS])
        except (ServerFault, BadResponse) as error:  # the shipments after them are read all the same
            fault = error
        else:
            _note_found(site, found)
    if fault is not None:
        raise fault
    return len(shipment_ids)


def _note_found(site: Site, found: Mapping[int, Found]) -> None:
    looks: list[Look] = []
    with writing(site.engine) as conn:
        for number, shipment in sorted(found.items(), key=itemgetter(0)):
            with suppress(OrderChanged):
                row = find_newest_order(conn, site.store_id, number)
                if (look := note(conn, site, number, shipment, row)) is not None:
                    looks.append(look)
    for look in looks:
        _cancel(site, look)


def wake(site: Site, limit: int = SLICE) -> int:
    """Look at boxes whose time has come: due now, or cooled off. Returns how many; raises as `look_at` does."""
    with reading(site.engine) as conn:
        due = list_due_orders(conn, site.store_id, {State.DISCOVERED}, site.now(), limit)
    if due:
        due, found = read_due(site, due)
        _note_found(site, found)
    return len(due)


def _cancel(site: Site, look: Look) -> None:
    """Ask at once. In dry run, or while the warehouse cannot be called, the sweep asks later."""
    if look.action is Action.ASK_CANCEL and site.row.is_called and site.row.wait_until <= site.now():
        with one_box(site, look.row):  # a box that another worker has gone on with is left to the sweep
            run_calls(site, look.row, look.action, None)

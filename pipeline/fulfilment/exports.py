"""Exports boxes as a file, where the warehouse is a spreadsheet, and writes a file again that was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import Order
from pipeline.core.fulfilment_files import FileFormat, WrittenFile
from pipeline.fulfilment.batches import list_frozen_numbers
from pipeline.fulfilment.site import CallLog, Site, build_adapter, require_site
from pipeline.fulfilment.steps.budget import wait_for_budget
from pipeline.fulfilment.steps.export import OPEN, SLICE, hand_out
from pipeline.fulfilment.steps.volume import guard_volume
from pipeline.infra import redis_keys
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, Actor, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.exports import (
    find_export,
    find_newest_export,
    insert_export,
    list_exported,
    list_ready,
)
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, pause_warehouse
from pipeline.warehouses.base import FileExchange, Warehouse


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be in a file: all ready boxes, or those of a frozen batch, or of one of its waves.

    `layout`: the fields of the spreadsheet, where this file differs.
    """

    file_format: FileFormat = "csv"
    layout: Mapping[str, str] = field(default_factory=dict)
    batch_id: int | None = None
    wave: str | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export brought. `left_out`: order number -> why the box is not in the file after all."""

    export_id: int
    boxes: int
    file: WrittenFile
    left_out: Mapping[str, str] = field(default_factory=dict)


def open_file_site(context: Context, store_id: int, layout: Mapping[str, str] | None = None) -> Site:
    """The store's fulfilment, if its warehouse is a spreadsheet. `layout`: its fields, where this file differs.

    Raises Misconfigured.
    """

    def open_warehouse(context: Context, row: WarehouseRow, config: Mapping[str, str], calls: CallLog) -> Warehouse:
        return build_adapter(context, row.adapter, {**config, **(layout or {})}, calls)

    site = require_site(context, store_id, open_warehouse=open_warehouse)
    if not site.warehouse.capabilities.exchanges_files:
        raise Misconfigured(f"the store's warehouse is {site.warehouse.title}: it exchanges no files")
    return site


def get_exchange(site: Site) -> FileExchange:
    """What the store's warehouse can do with files."""
    return cast("FileExchange", site.warehouse)


def export_boxes(
    context: Context,
    store_id: int,
    wanted: Wanted = Wanted(),
    *,
    actor: Actor = COMMAND_LINE_ACTOR,
    sleep: Callable[[float], None] = time.sleep,
) -> Exported:
    """Hand out the boxes that are ready, each read once more before. No box is in two exports.

    Waits for the store's budget of requests. Raises Misconfigured if there is nothing to export, or nothing may go; and
    what the store's client raises: boxes that were handed out by then are written by `repeat_export`.
    """
    site = open_file_site(context, store_id, wanted.layout)
    require_exportable(site)
    with writing(context.engine) as conn:
        ready = require_ready(conn, site, wanted)
        export_id = insert_export(conn, store_id, actor.user_id, context.now())
    remember_newest(site, export_id)
    orders: list[Order] = []
    left_out: dict[str, str] = {}
    for start in range(0, len(ready), SLICE):
        handed_out = wait_for_budget(partial(hand_out, site, ready[start : start + SLICE], export_id), sleep)
        orders += handed_out.orders
        left_out |= dict(handed_out.left_out)
    with writing(context.engine) as conn:
        record_export(conn, store_id, actor, "exported", context.now(), {"export": export_id, "boxes": len(orders)})
    if not orders:
        raise Misconfigured(explain_nothing_out(left_out))
    return Exported(export_id, len(orders), _write(site, orders, wanted.file_format, export_id), left_out)


def repeat_export(
    context: Context,
    store_id: int,
    export_id: int,
    wanted: Wanted = Wanted(),
    actor: Actor = COMMAND_LINE_ACTOR,
) -> Exported:
    """Write a file again, without the boxes that have left or are cancelled. Nothing else is handed out by it.

    Raises Misconfigured.
    """
    site = open_file_site(context, store_id, wanted.layout)
    with reading(context.engine) as conn:
        found = find_export(conn, store_id, export_id)
        rows = [] if found is None else list_exported(conn, export_id, OPEN)
    if found is None:
        raise Misconfigured(f"the store has no export {export_id}")
    opened = [(row.order_number, site.open(row)) for row in rows]
    orders = [order for _, order in opened if order is not None]
    if not orders:
        raise Misconfigured(f"every box of export {export_id} has left, or is cancelled")
    about = {"export": export_id, "boxes": len(orders)}
    with writing(context.engine) as conn:
        record_export(conn, store_id, actor, "exported_again", context.now(), about)
    erased = {number: "erased" for number, order in opened if order is None}
    return Exported(export_id, len(orders), _write(site, orders, wanted.file_format, export_id), erased)


def explain_nothing_out(left_out: Mapping[str, str]) -> str:
    """Why an export has no box, though some were ready."""
    why = ", ".join(f"{number}: {reason}" for number, reason in sorted(left_out.items())[:5])
    return f"no box may go by now ({why})" if why else "no box is ready any more"


def require_ready(conn: Connection, site: Site, wanted: Wanted) -> list[int]:
    """The boxes that an export would hand out. Raises Misconfigured if there is none."""
    ready = [order_id for order_id, _ in list_wanted(conn, site, wanted)]
    if not ready:
        raise Misconfigured("no box is ready")
    return ready


def list_wanted(conn: Connection, site: Site, wanted: Wanted, by: int | None = None) -> list[tuple[int, str]]:
    """The ids and numbers of the boxes that are ready and wanted, by number. `by`: and were ready by then (µs).

    Raises Misconfigured for a batch without a freeze.
    """
    ready = list_ready(conn, site.store_id, site.now(), by)
    if wanted.batch_id is None:
        return ready
    frozen = list_frozen_numbers(conn, site.store_id, wanted.batch_id, wanted.wave)
    return [one for one in ready if one[1] in frozen]


def require_live(site: Site) -> None:
    """Raise Misconfigured while nothing may go out."""
    if not site.row.is_active:
        raise Misconfigured(f"the warehouse is paused: {site.row.status_reason}")
    if not site.row.is_live:
        raise Misconfigured("the store is in dry run: accept its report first")


def require_exportable(site: Site) -> None:
    """Raise Misconfigured while nothing may go out. Too many boxes, or a file that was lost, pause the warehouse."""
    require_live(site)
    _require_whole_ledger(site)
    if not guard_volume(site):
        raise Misconfigured(
            "an unusual number of boxes would go: look at them, and resume the warehouse to let them pass"
        )


def remember_newest(site: Site, export_id: int) -> None:
    """Keep the id of the newest file outside the ledger, so that a ledger that was restored is known by it."""
    site.context.redis.set(redis_keys.newest_export(site.store_id), export_id)


def _require_whole_ledger(site: Site) -> None:
    """Pause the warehouse if the ledger was restored from a copy that lacks a file: its boxes are ready once more.

    A spreadsheet cannot be asked what it has, so a person has to look; once it is resumed, they go.
    """
    key = redis_keys.newest_export(site.store_id)
    handed_out = int(site.context.redis.get(key) or 0)
    with writing(site.engine) as conn:
        if handed_out <= find_newest_export(conn, site.store_id):
            return
        reason = f"the ledger was restored, and does not know export {handed_out}: its boxes are ready again"
        pause_warehouse(conn, site.store_id, reason, site.now())
        event = EventDraft("paused", "ledger_restored", {"export": handed_out})
        add_fulfilment_event(conn, About(site.store_id), event, site.now())
    site.context.redis.delete(key)
    raise Misconfigured(f"{reason}. Resume the warehouse, then take the boxes of that file out of the next one")


def _write(site: Site, orders: list[Order], file_format: FileFormat, export_id: int) -> WrittenFile:
    ordered = sorted(orders, key=lambda order: order.order_number)
    return get_exchange(site).write_file(ordered, file_format, f"boxes-{export_id}")


def record_export(conn: Connection, store_id: int, actor: Actor, kind: str, now: int, about: Mapping[str, int]) -> None:
    """Write down that a file was made: `exported`, or `exported_again`. `about`: the `export`, and its `boxes`."""
    event = EventDraft(kind, detail=dict(about), user_id=actor.user_id)
    add_fulfilment_event(conn, About(store_id), event, now)
    record_store_action(conn, store_id, actor, f"boxes.{kind}", now, about)

"""Batches: the forecast before the end, the freeze with its manifest, and what was changed after it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.batch_boxes import DAY_US, describe, describe_now, list_renewals, measure, outline
from pipeline.fulfilment.rules.forecast import Forecast, Pace, PastBatch, estimate_pace, forecast
from pipeline.fulfilment.rules.manifest import (
    Change,
    Manifest,
    build_manifest,
    find_changes_after_freeze,
    from_json,
    to_json,
)
from pipeline.fulfilment.rules.waves import find_wave, split_waves
from pipeline.fulfilment.set_up import require_warehouse
from pipeline.fulfilment.settings import Wave
from pipeline.fulfilment.site import Site, require_site
from pipeline.fulfilment.steps.budget import wait_for_budget
from pipeline.fulfilment.steps.pull import SLICE, get_job, look_at
from pipeline.fulfilment.stored_settings import load_settings
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, Actor, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.batches import (
    BatchBox,
    BatchLine,
    FrozenRow,
    insert_frozen,
    list_batch_boxes,
    list_batches,
    list_frozen,
)
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.runs import find_last_run

FRESH_US = 3_600_000_000  # a box that was read whole since then is frozen as it was read
PAST_BATCHES = 6


@dataclass(frozen=True, slots=True)
class BatchForecast:
    """What is expected of a batch. `known`: its boxes now, by how sure they are (`ForecastBox.certainty`)."""

    batch: BatchLine
    at: int
    known: Mapping[str, int]
    expected: Forecast
    past: int  # how many earlier batches it was made from


@dataclass(frozen=True, slots=True)
class FrozenBatch:
    """A frozen batch, or wave, and what is otherwise now."""

    row: FrozenRow
    manifest: Manifest = field(repr=False)
    changes: tuple[Change, ...] = ()


def forecast_batch(context: Context, store_id: int, batch_id: int | None = None) -> BatchForecast:
    """Expect the counts of a batch: of this one, or of the one that ends next. Raises Misconfigured.

    What Cratejoy has not shown yet, because it does not answer, is expected as what is still to come.
    """
    now = context.now()
    with reading(context.engine) as conn:
        connected_at = require_warehouse(conn, store_id).created_at
        read = find_last_run(conn, store_id, get_job("standard"), is_ok=True)
        read_at = min(now, connected_at if read is None else read.started_at)
        batches = list_batches(conn, store_id)
        batch = choose_batch(batches, batch_id, now)
        if batch.ends_at is None:
            raise Misconfigured(f"Cratejoy does not show when batch {batch.batch_id} ends")
        past = [one for one in batches if one.ends_at is not None and one.ends_at < batch.ends_at][: PAST_BATCHES + 1]
        boxes = _group(list_batch_boxes(conn, store_id, [batch.batch_id, *(one.batch_id for one in past)]))
    mine, before = boxes.get(batch.batch_id, []), boxes.get(past[0].batch_id, []) if past else []
    left_us = max(0, batch.ends_at - (read_at if now - read_at >= FRESH_US else now))
    measured = _measure_all(past, boxes, left_us, connected_at, now)
    known = [one for one in map(describe, mine) if one is not None]
    renewals = list_renewals(mine, before) if left_us else []
    pace = _find_pace(measured, mine, before, read_at, connected_at)
    counts = Counter(str(one.certainty) for one in (*known, *renewals))
    expected = forecast([*known, *renewals], batch.ends_at - left_us, batch.ends_at, pace)
    return BatchForecast(batch, now, dict(counts), expected, len(measured))


def freeze_batch(
    context: Context,
    store_id: int,
    batch_id: int,
    actor: Actor = COMMAND_LINE_ACTOR,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> list[FrozenBatch]:
    """Write down which boxes a batch has, each wave by itself. Boxes that were not read for an hour are read first.

    A box that is held is not in it; it is a latecomer if it goes later. Raises Misconfigured if the batch is frozen
    already, or has no boxes; and what the store's client raises: nothing is frozen then.
    """
    site = require_site(context, store_id)
    with reading(context.engine) as conn:
        require_unfrozen(conn, store_id, batch_id)
        stale = list_stale(conn, store_id, batch_id, context.now() - FRESH_US)
    for start in range(0, len(stale), SLICE):
        wait_for_budget(partial(look_at, site, stale[start : start + SLICE]), sleep)
    with writing(context.engine) as conn:
        return write_freeze(conn, site, batch_id, actor)


def list_stale(conn: Connection, store_id: int, batch_id: int, since: int) -> list[int]:
    """The shipments of a batch that are open and were not read since then (µs), in the order of their numbers."""
    boxes = list_batch_boxes(conn, store_id, [batch_id])
    open_boxes = [box for box in boxes if (one := describe(box)) is not None and one.certainty != "sent"]
    return sorted(box.shipment_id for box in open_boxes if (box.cratejoy_checked_at or 0) < since)


def write_freeze(conn: Connection, site: Site, batch_id: int, actor: Actor) -> list[FrozenBatch]:
    """Write down which boxes a batch has, as they were read last. Raises Misconfigured as `freeze_batch` does."""
    made = _freeze(conn, site, batch_id, actor)
    about = {"batch": batch_id, "boxes": sum(one.row.boxes for one in made), "waves": len(made)}
    event = EventDraft("batch_frozen", detail=dict(about), user_id=actor.user_id)
    add_fulfilment_event(conn, About(site.store_id), event, site.now())
    record_store_action(conn, site.store_id, actor, "batch.frozen", site.now(), about)
    return made


def compare_frozen(conn: Connection, store_id: int, batch_id: int) -> list[FrozenBatch]:
    """What was frozen of a batch, each wave with its cancels, changes and latecomers. Raises Misconfigured."""
    waves = load_settings(require_warehouse(conn, store_id).settings).waves
    rows = list_frozen(conn, store_id, batch_id)
    if not rows:
        raise Misconfigured(f"batch {batch_id} is not frozen: freeze it first")
    manifests = [_open(row) for row in rows]
    boxes = list_batch_boxes(conn, store_id, [batch_id])
    frozen_in = {entry.order_number: made.wave for made in manifests for entry in made.entries}
    names = {made.wave for made in manifests}
    present: dict[str, list[BatchBox]] = {}
    for box in boxes:
        wave = frozen_in.get(box.order_number, _find_wave(box, waves, names))
        present.setdefault(wave, []).append(box)
    return [
        FrozenBatch(
            row, made, find_changes_after_freeze(made, [describe_now(box) for box in present.get(made.wave, [])])
        )
        for row, made in zip(rows, manifests, strict=True)
    ]


def list_frozen_numbers(conn: Connection, store_id: int, batch_id: int, wave: str | None) -> set[str]:
    """The order numbers of a frozen batch, or of one of its waves. Raises Misconfigured."""
    rows = [row for row in list_frozen(conn, store_id, batch_id) if wave in (None, row.wave)]
    if not rows:
        of_wave = f" has no frozen wave {wave!r}" if wave else " is not frozen"
        raise Misconfigured(f"batch {batch_id}{of_wave}: freeze it first")
    return {entry.order_number for row in rows for entry in _open(row).entries}


def choose_batch(batches: Sequence[BatchLine], batch_id: int | None, now: int) -> BatchLine:
    """This batch, or the one that ends next. Raises Misconfigured if there is none."""
    wanted = [one for one in batches if one.batch_id == batch_id or (batch_id is None and (one.ends_at or 0) > now)]
    if not wanted:
        which = "no batch ends after now" if batch_id is None else f"the store has no boxes of batch {batch_id}"
        raise Misconfigured(which)
    return wanted[-1]


def _group(boxes: Sequence[BatchBox]) -> dict[int, list[BatchBox]]:
    found: dict[int, list[BatchBox]] = {}
    for box in boxes:
        found.setdefault(box.batch_id, []).append(box)
    return found


def _measure_all(
    past: Sequence[BatchLine], boxes: Mapping[int, list[BatchBox]], left_us: int, connected_at: int, now: int
) -> list[PastBatch]:
    """How the batches before moved in as much time; those that were not seen from then on say nothing."""
    found = []
    for batch, before in zip(past, [*past[1:], None], strict=False):
        ends_at = batch.ends_at or 0
        if left_us and ends_at <= now and ends_at - left_us >= connected_at + DAY_US:
            earlier = boxes.get(before.batch_id, []) if before else []
            found.append(measure(batch, boxes.get(batch.batch_id, []), earlier, left_us))
    return found[:PAST_BATCHES]


def _find_pace(
    measured: Sequence[PastBatch], mine: Sequence[BatchBox], before: Sequence[BatchBox], now: int, connected_at: int
) -> Pace:
    """What the first day after the connecting has brought was there before."""
    renews = {box.subscription_id for box in before}
    came = [box for box in mine if box.first_seen_at > connected_at + DAY_US and box.subscription_id not in renews]
    watched_days = (now - connected_at) / DAY_US - 1
    return estimate_pace(measured, [box.first_seen_at for box in came], now, watched_days)


def require_unfrozen(conn: Connection, store_id: int, batch_id: int) -> None:
    """Raise Misconfigured if the batch is frozen."""
    if list_frozen(conn, store_id, batch_id):
        raise Misconfigured(f"batch {batch_id} is frozen already")


def _freeze(conn: Connection, site: Site, batch_id: int, actor: Actor) -> list[FrozenBatch]:
    described = [(box, describe(box)) for box in list_batch_boxes(conn, site.store_id, [batch_id])]
    orders = [outline(box) for box, one in described if one is not None and one.certainty in ("paid", "sent")]
    if not orders:
        raise Misconfigured(f"batch {batch_id} has no box that is to go")
    waves = split_waves(orders, site.settings.waves) if site.settings.waves else {"": orders}
    now = site.now()
    for wave, of_wave in waves.items():
        made = build_manifest(batch_id, now, of_wave, wave)
        columns = {"store_id": site.store_id, "batch_id": batch_id, "wave": wave, "frozen_at": now}
        columns |= {"boxes": len(of_wave), "digest": made.digest, "manifest": to_json(made), "user_id": actor.user_id}
        if not insert_frozen(conn, **columns):
            require_unfrozen(conn, site.store_id, batch_id)
    return [FrozenBatch(row, _open(row)) for row in list_frozen(conn, site.store_id, batch_id)]


def _open(row: FrozenRow) -> Manifest:
    try:
        return from_json(row.manifest)
    except (KeyError, TypeError, ValueError) as error:
        raise Misconfigured(f"the manifest of batch {row.batch_id} was changed after its freeze: {error}") from error


def _find_wave(box: BatchBox, waves: Sequence[Wave], frozen: set[str]) -> str:
    """The wave of a box that came later; the last one if its own had no box when the batch was frozen."""
    wave = find_wave(outline(box), waves) if waves else ""
    return wave if wave in frozen else max(frozen)

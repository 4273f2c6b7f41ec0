"""Does the work that people ask for about batches and files, in turns of a few seconds each.

What a turn has done is committed with how far it came, so that a worker that is killed loses nothing and hands no box
out twice: the next turn goes on from there. A lease keeps two workers from the same work.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import BadCredentials, CratewireError, Misconfigured, RateLimited
from pipeline.fulfilment.batches import FRESH_US, forecast_batch, list_stale, require_unfrozen, write_freeze
from pipeline.fulfilment.exports import (
    explain_nothing_out,
    list_wanted,
    open_file_site,
    record_export,
    remember_newest,
    require_exportable,
    require_live,
    require_ready,
)
from pipeline.fulfilment.imports import (
    SLICE as IMPORT_SLICE,
)
from pipeline.fulfilment.imports import (
    judge_file,
    keep_ambiguous,
    list_matches,
    record_import,
    write_matches,
)
from pipeline.fulfilment.run import LEASE_MS, MAX_RUN_US, LaneRun
from pipeline.fulfilment.site import require_site
from pipeline.fulfilment.steps.export import SLICE as EXPORT_SLICE
from pipeline.fulfilment.steps.export import hand_out
from pipeline.fulfilment.steps.pull import SLICE as LOOK_SLICE
from pipeline.fulfilment.steps.pull import look_at
from pipeline.fulfilment.steps.settle import SECOND_US
from pipeline.fulfilment.work import read_rows, read_wanted
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.exports import find_export, insert_export
from pipeline.ledger.fulfilment.work import WorkRow, begin_turn, end_work, find_work, load_rows, save_work
from pipeline.ledger.store_apis import record_key_check

MAX_ATTEMPTS = 20  # turns in a row that bring it no further: about ten minutes
IMPORT_TURN_US = 10 * SECOND_US  # after the judging, which takes 2 s for 20,000 rows
RETRY_US = 3 * SECOND_US  # times the attempts so far
GAVE_UP = "it was begun twenty times, and came no further"

Take = Callable[[Context, WorkRow, int], bool]  # the work, until when (µs) -> whether it has ended


def take_turn(context: Context, store_id: int, work_id: int) -> LaneRun:
    """Take a turn at the work. Raises redis.RedisError or SQLAlchemyError if one of our servers does not answer."""
    key = redis_keys.fulfilment_lease(store_id, name_lane(work_id))
    with Lease(context.redis, key, context.make_nonce(), LEASE_MS).hold() as is_held:
        if not is_held:
            return LaneRun()
        with writing(context.engine) as conn:
            row = begin_turn(conn, store_id, work_id, context.now(), RETRY_US)
        return LaneRun() if row is None else _take(context, row)


def name_lane(work_id: int) -> str:
    """What the lease of this work is called."""
    return f"work-{work_id}"


def _take(context: Context, row: WorkRow) -> LaneRun:
    if row.attempts > MAX_ATTEMPTS:
        return _fail(context, row, row.reason or GAVE_UP)
    try:
        has_ended = _TAKE[row.kind](context, row, context.now() + MAX_RUN_US)
    except RateLimited as wait:
        return _wait(context, row, wait.seconds, attempts=0)
    except BadCredentials as error:
        with writing(context.engine) as conn:
            record_key_check(conn, row.store_id, str(error), context.now())
        return _fail(context, row, str(error))
    except Misconfigured as error:
        return _fail(context, row, str(error))
    except CratewireError as error:
        return _wait(context, row, RETRY_US * row.attempts / SECOND_US, reason=str(error))
    return LaneRun() if has_ended else _wait(context, row, 0.0)


def _fail(context: Context, row: WorkRow, reason: str) -> LaneRun:
    with writing(context.engine) as conn:
        now_as = find_work(conn, row.store_id, row.id) or row
        if "export" in now_as.result:
            _close_export(conn, now_as, context.now(), reason)
        else:
            end_work(conn, row.id, context.now(), reason=reason)
    return LaneRun(error=reason)


def _wait(context: Context, row: WorkRow, seconds: float, **changed: Any) -> LaneRun:
    with writing(context.engine) as conn:
        save_work(conn, row.id, next_turn_at=context.now() + round(seconds * SECOND_US), **changed)
    return LaneRun(seconds, changed.get("reason"))


def _save_progress(conn: Connection, row: WorkRow, **changed: Any) -> None:
    """Write down that it came further."""
    save_work(conn, row.id, attempts=0, reason=None, **changed)


def _forecast(context: Context, row: WorkRow, until: int) -> bool:  # noqa: ARG001 - one turn is enough
    made = forecast_batch(context, row.store_id, row.wanted["batch"])
    with writing(context.engine) as conn:
        return end_work(conn, row.id, context.now(), result=asdict(made))


def _freeze(context: Context, row: WorkRow, until: int) -> bool:
    """Read what was not read for an hour when the freeze was asked for, and freeze."""
    site, batch_id = require_site(context, row.store_id), row.wanted["batch"]
    with reading(context.engine) as conn:
        require_unfrozen(conn, row.store_id, batch_id)
        stale = list_stale(conn, row.store_id, batch_id, row.requested_at - FRESH_US)
    left = [number for number in stale if number > int(row.cursor or 0)]
    total = row.total or len(left)
    while left:
        look_at(site, left[:LOOK_SLICE])
        read_to, left = left[:LOOK_SLICE][-1], left[LOOK_SLICE:]
        with writing(context.engine) as conn:
            _save_progress(conn, row, cursor=str(read_to), total=total, done=total - len(left))
        if left and context.now() >= until:
            return False
    with writing(context.engine) as conn:
        made = write_freeze(conn, site, batch_id, row.actor)
        counts = {"boxes": sum(one.row.boxes for one in made), "waves": len(made)}
        return end_work(conn, row.id, context.now(), result=counts)


def _export(context: Context, row: WorkRow, until: int) -> bool:
    """Hand out those that were ready when the export began, by their numbers."""
    wanted = read_wanted(row.wanted)
    site = open_file_site(context, row.store_id, wanted.layout)
    if "export" not in row.result:
        require_exportable(site)
        with writing(context.engine) as conn:
            total = len(require_ready(conn, site, wanted))
            begun = {"export": insert_export(conn, row.store_id, row.user_id, context.now()), "left_out": {}}
            _save_progress(conn, row, result=begun, total=total)
            row = find_work(conn, row.store_id, row.id) or row
    require_live(site)
    remember_newest(site, row.result["export"])
    export_id, left_out, cursor = row.result["export"], dict(row.result["left_out"]), row.cursor or ""
    with reading(context.engine) as conn:
        export = find_export(conn, row.store_id, export_id)
        ready = list_wanted(conn, site, wanted, export.at if export else None)
    left = [one for one in ready if one[1] > cursor]
    while left:
        handed_out = hand_out(site, [order_id for order_id, _ in left[:EXPORT_SLICE]], export_id)
        left_out |= dict(handed_out.left_out)
        cursor, left = left[:EXPORT_SLICE][-1][1], left[EXPORT_SLICE:]
        with writing(context.engine) as conn:
            result = row.result | {"left_out": left_out}
            _save_progress(conn, row, cursor=cursor, done=max(0, (row.total or 0) - len(left)), result=result)
        if left and context.now() >= until:
            return False
    with writing(context.engine) as conn:
        return _close_export(conn, find_work(conn, row.store_id, row.id) or row, context.now())


def _close_export(conn: Connection, row: WorkRow, now: int, reason: str | None = None) -> bool:
    """End an export, done or failed: what was handed out by then is in its file."""
    export = find_export(conn, row.store_id, row.result["export"])
    boxes = export.boxes if export else 0
    if not boxes:
        reason = reason or explain_nothing_out(row.result["left_out"])
    record_export(conn, row.store_id, row.actor, "exported", now, {"export": row.result["export"], "boxes": boxes})
    return end_work(conn, row.id, now, reason=reason, result=row.result | {"boxes": boxes})


def _import(context: Context, row: WorkRow, until: int) -> bool:
    """Judge every row anew, write those that match, and in the end keep the ambiguous ones for a person."""
    site = open_file_site(context, row.store_id)
    with reading(context.engine) as conn:
        returned = read_rows(row, load_rows(conn, row.id))
        if returned is None:
            raise Misconfigured("the rows of the file are no longer kept: upload it again")
        preview = judge_file(conn, row.store_id, returned)
    left, written = list_matches(preview, returned), row.result.get("written", 0)
    total = row.total if row.total is not None else len(left)
    result = {"counts": dict(preview.counts)} | row.result
    until = context.now() + IMPORT_TURN_US
    while left:
        with writing(context.engine) as conn:
            written += write_matches(conn, site, left[:IMPORT_SLICE])
            left = left[IMPORT_SLICE:]
            _save_progress(conn, row, total=total, done=total - len(left), result=result | {"written": written})
        if left and context.now() >= until:
            return False
    with writing(context.engine) as conn:
        for_people = keep_ambiguous(conn, site, preview, returned)
        result |= {"written": written, "for_people": for_people}
        record_import(conn, site, row.actor, result["counts"], written, for_people)
        return end_work(conn, row.id, context.now(), result=result)


_TAKE: dict[str, Take] = {"forecast": _forecast, "freeze": _freeze, "export": _export, "import": _import}

"""Connects a store to a warehouse, in dry run first, and switches it to live once a person has accepted the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable
from pipeline.core.fulfilment import AuthError, RateLimited, Retryable, State
from pipeline.fulfilment.other_warehouse import is_same_account, leave_open_boxes
from pipeline.fulfilment.rules.search_windows import BILLING_TYPES, is_switched_on
from pipeline.fulfilment.settings import FulfilmentSettings
from pipeline.fulfilment.settings_json import read_form, write_settings
from pipeline.fulfilment.site import NO_WAREHOUSE, build_adapter, require_site
from pipeline.fulfilment.steps.pull import get_job
from pipeline.fulfilment.stored_settings import change_stored, load_settings, require_look_up
from pipeline.infra.crypto.encryption import decrypt, encrypt
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, Actor, record_store_action
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.events import About, EventDraft, add_fulfilment_event
from pipeline.ledger.fulfilment.runs import find_last_run, request_sweep
from pipeline.ledger.fulfilment.warehouses import (
    LIVE,
    UNUSUAL,
    WarehouseRow,
    build_warehouse_identity,
    find_warehouse,
    get_warehouse,
    pause_warehouse,
    resume_warehouse,
    save_warehouse,
    update_warehouse,
)
from pipeline.ledger.queries.boxes import BoxFilter, list_box_page
from pipeline.ledger.queries.fulfilment import BoxCount, BoxLine, count_boxes
from pipeline.ledger.store_apis import find_store_api
from pipeline.warehouses.base import Warehouse

# (stored, given) -> the settings to store. Raises BadSettings.
ChangeStored = Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
PAUSED_BY_HAND = "paused by hand"
MAX_SHOWN = 500  # boxes of a report that are listed one by one


@dataclass(frozen=True, slots=True)
class DryRunReport:
    """What the first pass has found. `unread`: the searches that have not ended yet; the report is not whole then."""

    mode: str
    unread: tuple[str, ...]
    counts: list[BoxCount]
    would_go: int
    boxes: list[BoxLine] = field(repr=False)

    @property
    def is_whole(self) -> bool:
        return not self.unread


def connect_warehouse(  # noqa: PLR0913 - whose, which, how, and by whom
    context: Context,
    store_id: int,
    adapter: str,
    config: Mapping[str, str],
    settings: Mapping[str, Any],
    actor: Actor = COMMAND_LINE_ACTOR,
    *,
    change: ChangeStored = change_stored,
) -> tuple[WarehouseRow, dict[str, Any]]:
    """Check the keys, and save them with the settings; returns the warehouse, and facts about its account.

    `change`: how the settings are given. Raises Misconfigured for what is wrong, BadSettings among it; BadCredentials
    or Unreachable if the warehouse does not answer.
    """
    with reading(context.engine) as conn:
        before = find_warehouse(conn, store_id)
        if find_store_api(conn, store_id) is None:
            raise Misconfigured("Cratejoy's Client ID and Secret are not saved: boxes are found through its API")
    document = change(before.settings if before else {}, settings)
    warehouse = build_adapter(context, adapter, config)
    require_look_up(warehouse, load_settings(document))
    facts = _check(warehouse)
    sealed = encrypt(context.settings.secret_keys, dict(config), build_warehouse_identity(store_id))
    with writing(context.engine) as conn:
        now = context.now()
        is_other = before is not None and not _is_same(context, before, adapter, config)
        if is_other:
            leave_open_boxes(conn, store_id, now)
        row = save_warehouse(conn, store_id, adapter, sealed, now, is_other=is_other)
        if before is not None and not is_other and _is_paused_for_more_than_keys(before):
            pause_warehouse(conn, store_id, before.status_reason or "", before.status_at)
        update_warehouse(conn, store_id, settings=document)
        request_sweep(conn, store_id, now)
        _record(conn, row, actor, "connected", now)
        return get_warehouse(conn, store_id), facts


def _is_same(context: Context, before: WarehouseRow, adapter: str, config: Mapping[str, str]) -> bool:
    """Whether the store only gets other keys of the same account."""
    if before.adapter != adapter:
        return False
    try:
        kept = decrypt(context.settings.secret_keys, before.config, before.identity)
    except Misconfigured:  # no key fits any more
        return False
    return is_same_account(adapter, kept, config)


def _is_paused_for_more_than_keys(row: WarehouseRow) -> bool:
    """Whether a person, or an unusual number of boxes, has paused it: keys that work are no answer to that."""
    if row.is_active:
        return False
    reason = row.status_reason or ""
    return not row.is_shut or reason == PAUSED_BY_HAND or reason.startswith(UNUSUAL)


def check_saved_keys(context: Context, store_id: int) -> dict[str, Any]:
    """Try the saved keys with a request that changes nothing; returns facts about the account.

    Raises Misconfigured if there is no warehouse, BadCredentials or Unreachable if it does not answer.
    """
    return _check(require_site(context, store_id).warehouse)


def _check(warehouse: Warehouse) -> dict[str, Any]:
    answer = warehouse.check()
    if isinstance(answer, AuthError):
        raise BadCredentials(f"the warehouse refuses the keys: {answer.reason}")
    if isinstance(answer, Retryable | RateLimited):
        reason = answer.reason if isinstance(answer, Retryable) else "its rate limit is used up"
        raise Unreachable(f"the warehouse does not answer: {reason}")
    return answer


def save_fulfilment_settings(
    context: Context,
    store_id: int,
    given: Mapping[str, Any],
    actor: Actor = COMMAND_LINE_ACTOR,
    *,
    change: ChangeStored = change_stored,
) -> bool:
    """Change settings; boxes that are not sent are judged anew. False if nothing differs.

    `change`: how the settings are given. Raises Misconfigured if there is no warehouse, BadSettings with every fault.
    """
    with writing(context.engine) as conn:
        row = require_warehouse(conn, store_id)
        document = change(row.settings, given)
        if document == row.settings:
            return False
        _require_look_up(context, row, load_settings(document))
        update_warehouse(conn, store_id, settings=document)
        request_sweep(conn, store_id, now := context.now())
        _record(conn, row, actor, "settings_changed", now)
    return True


def save_settings_form(
    context: Context, store_id: int, form: Mapping[str, str], actor: Actor = COMMAND_LINE_ACTOR
) -> bool:
    """Save every setting as a form has it; an absent switch is off. Returns and raises as above."""
    document = write_settings(read_form(form))
    return save_fulfilment_settings(context, store_id, {}, actor, change=lambda *_: document)


def _require_look_up(context: Context, row: WarehouseRow, settings: FulfilmentSettings) -> None:
    """Raise BadSettings if the look-up is switched off where the warehouse needs it, and Misconfigured without keys."""
    if not settings.lookup_before_create:
        config = decrypt(context.settings.secret_keys, row.config, row.identity)
        require_look_up(build_adapter(context, row.adapter, config), settings)


def build_report(conn: Connection, store_id: int) -> DryRunReport:
    """What the dry run has found so far. Raises Misconfigured if the store has no warehouse."""
    row = require_warehouse(conn, store_id)
    settings = load_settings(row.settings)
    wanted = [get_job(one) for one in BILLING_TYPES if is_switched_on(one, settings)]
    unread = tuple(job for job in wanted if find_last_run(conn, store_id, job, is_ok=True, is_full=True) is None)
    counts = count_boxes(conn, store_id)
    ready = sum(one.count for one in counts if one.state == State.READY)
    would_go = BoxFilter((store_id,), {State.READY})
    return DryRunReport(row.mode, unread, counts, ready, list_box_page(conn, would_go, limit=MAX_SHOWN))


def go_live(context: Context, store_id: int, accepted: int, actor: Actor = COMMAND_LINE_ACTOR) -> WarehouseRow:
    """Accept the report, and send from now on. `accepted`: how many boxes would go, as the report said.

    Raises Misconfigured if the report is not whole, or is another one by now: then a person has to look again.
    """
    with writing(context.engine) as conn:
        row, report = require_warehouse(conn, store_id), build_report(conn, store_id)
        if row.mode == LIVE:
            raise Misconfigured("the warehouse is live already")
        if not report.is_whole:
            raise Misconfigured(f"the dry run has not ended: {', '.join(report.unread)} was not read to the end yet")
        if report.would_go != accepted:
            raise Misconfigured(
                f"{report.would_go} boxes would go, and {accepted} were accepted: read the report again"
            )
        now = context.now()
        update_warehouse(conn, store_id, mode=LIVE, accepted_at=now, accepted_by=actor.user_id)
        about = {"boxes": accepted}
        _record(conn, row, actor, "went_live", now, about)
        return get_warehouse(conn, store_id)


def pause(context: Context, store_id: int, actor: Actor = COMMAND_LINE_ACTOR) -> bool:
    """Give the warehouse no box until it is resumed. False if it is paused already."""
    with writing(context.engine) as conn:
        row = require_warehouse(conn, store_id)
        is_done = pause_warehouse(conn, store_id, PAUSED_BY_HAND, context.now())
        if is_done:
            _record(conn, row, actor, "paused", context.now())
    return is_done


def resume(context: Context, store_id: int, actor: Actor = COMMAND_LINE_ACTOR) -> bool:
    """Go on. False if it is not paused."""
    with writing(context.engine) as conn:
        row = require_warehouse(conn, store_id)
        is_done = resume_warehouse(conn, store_id, context.now())
        if is_done:
            _record(conn, row, actor, "resumed", context.now())
    return is_done


def require_warehouse(conn: Connection, store_id: int) -> WarehouseRow:
    """The store's warehouse. Raises Misconfigured if it has none."""
    row = find_warehouse(conn, store_id)
    if row is None:
        raise Misconfigured(NO_WAREHOUSE)
    return row


def _record(
    conn: Connection, row: WarehouseRow, actor: Actor, kind: str, now: int, about: Mapping[str, int] | None = None
) -> None:
    """Write it into the events of the fulfilment, and into the audit log."""
    event = EventDraft(kind, detail=dict(about) if about else None, user_id=actor.user_id)
    add_fulfilment_event(conn, About(row.store_id), event, now)
    record_store_action(conn, row.store_id, actor, f"warehouse.{kind}", now, about)

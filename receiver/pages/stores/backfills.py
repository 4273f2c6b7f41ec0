"""The customers of a store: how many were read, and the buttons with which reading them is controlled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, load_progress, load_whole_readings
from pipeline.backfill.schedule import DAY_US, create_backfill
from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import record_store_action
from pipeline.ledger.backfills import (
    ALL,
    CANCELLED,
    FAILED,
    PAUSED,
    RUNNING,
    SHORT,
    cancel_backfill,
    pause_backfill,
    resume_backfill,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import ACTIVE, find_store_api
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("backfills", __name__)

ACTIONS: dict[str, Callable[[Connection, int, int], object]] = {
    "start": lambda conn, store_id, now: create_backfill(conn, store_id, ALL, now),
    "pause": pause_backfill,
    "resume": resume_backfill,
    "cancel": cancel_backfill,
}
AUDIT_ACTIONS = {
    "start": "backfill.started",
    "pause": "backfill.paused",
    "resume": "backfill.resumed",
    "cancel": "backfill.cancelled",
}
# state -> the actions that are possible; in any other state: start
ACTIONS_BY_STATE = {RUNNING: ("pause", "cancel"), PAUSED: ("resume", "cancel")}
DONE_TEXTS = {
    "start": "All customers are being read.",
    "pause": "Reading the customers is paused. What has been read is kept.",
    "resume": "Reading the customers goes on where it was paused.",
    "cancel": "Reading the customers was cancelled. The figures of the last whole reading stay.",
}


@dataclass(frozen=True, slots=True)
class BackfillView:
    """The backfills of a store. `progress`: of the newest, None if there has been none.

    `whole`: of the newest that has read all customers. `next_at`: when changes are looked for next (µs), if known.
    `has_keys`: whether Cratejoy's keys are saved.
    """

    progress: Progress | None
    actions: tuple[str, ...]
    whole: Progress | None = None
    next_at: int | None = None
    has_keys: bool = False

    @property
    def shown(self) -> Progress | None:
        """Whose figures are shown: one that was cancelled or failed does not take the place of the last whole one."""
        is_under_way = self.progress is not None and self.progress.state in (RUNNING, PAUSED)
        return self.progress if is_under_way and self.progress and self.progress.kind == ALL else self.whole

    @property
    def has_ended_early(self) -> bool:
        """Whether the newest reading of all customers was cancelled or has failed."""
        return self.progress is not None and self.progress.state in (CANCELLED, FAILED)

    @property
    def has_failed(self) -> bool:
        """Whether it ended without reading everything."""
        return self.progress is not None and self.progress.state in (FAILED, SHORT)

    @property
    def is_running(self) -> bool:
        return self.progress is not None and self.progress.state == RUNNING


def load_backfill_view(conn: Connection, store_id: int, now: int, *, can_act: bool) -> BackfillView:
    """Load the backfills. `can_act`: whether the user may control them."""
    progress = load_progress(conn, store_id, now)
    whole = load_whole_readings(conn, [store_id], now).get(store_id)
    api = find_store_api(conn, store_id)
    is_open = progress is not None and progress.state in (RUNNING, PAUSED)
    looks_again = api is not None and api.status == ACTIVE and whole is not None and not is_open
    next_at = progress.started_at + DAY_US if looks_again and progress is not None else None
    actions = ACTIONS_BY_STATE.get(progress.state if progress else "", ("start",)) if can_act and api else ()
    return BackfillView(progress, actions, whole, next_at, has_keys=api is not None)


@blueprint.get("/stores/<name>/customers")
@requires("see")
def show(name: str) -> str:
    """Show how many customers were read, and when they are read again."""
    store, context = get_my_store(name), get_context()
    with reading(context.engine) as conn:
        customers = load_backfill_view(conn, store.store_id, context.now(), can_act=store.allows("pause"))
    return render_template("customers_page.html", store=store, customers=customers)


@blueprint.post("/stores/<name>/backfill/<action>")
@requires("pause")
def steer(name: str, action: str) -> ResponseReturnValue:
    """Start, pause, resume or cancel. If the state has changed meanwhile, only a message is shown."""
    store = get_my_store(name)
    action_function = ACTIONS.get(action) or abort(404)
    context = get_context()
    try:
        with writing(context.engine) as conn:
            done = action_function(conn, store.store_id, context.now())
            if done:
                record_store_action(conn, store.store_id, get_actor(), AUDIT_ACTIONS[action], context.now())
    except Misconfigured:
        done = False
    if done:
        flash(DONE_TEXTS[action], "success")
    else:
        flash("That is no longer possible: the state has changed in the meantime.", "info")
    is_from_customers = request.form.get("back") == "customers"
    return redirect(url_for("backfills.show" if is_from_customers else "home.store", name=name))

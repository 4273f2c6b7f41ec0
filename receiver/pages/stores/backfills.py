"""The backfill on a store's page: its progress, and the buttons with which an owner controls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, load_progress
from pipeline.backfill.schedule import create_backfill
from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import record_store_action
from pipeline.ledger.backfills import (
    ALL,
    FAILED,
    PAUSED,
    RUNNING,
    SHORT,
    cancel_backfill,
    pause_backfill,
    resume_backfill,
)
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import find_store_api
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


@dataclass(frozen=True, slots=True)
class BackfillView:
    """The backfill of a store. `progress`: None if there has been none."""

    progress: Progress | None
    actions: tuple[str, ...]

    @property
    def has_failed(self) -> bool:
        """Whether it ended without reading everything."""
        return self.progress is not None and self.progress.state in (FAILED, SHORT)

    @property
    def is_running(self) -> bool:
        return self.progress is not None and self.progress.state == RUNNING


def load_backfill_view(conn: Connection, store_id: int, now: int, *, can_act: bool) -> BackfillView:
    """Load the backfill. `can_act`: whether the user may control it."""
    progress = load_progress(conn, store_id, now)
    if not can_act or find_store_api(conn, store_id) is None:
        return BackfillView(progress, ())
    return BackfillView(progress, ACTIONS_BY_STATE.get(progress.state if progress else "", ("start",)))


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
    if not done:
        flash("That is no longer possible: the state has changed in the meantime.", "info")
    return redirect(url_for("home.store", name=name))

"""What a store's page says of the reading of its customers, and the buttons with which an owner steers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required
from sqlalchemy import Connection

from pipeline.backfill.progress import Progress, load_progress
from pipeline.backfill.schedule import create_backfill
from pipeline.core.errors import Misconfigured
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
from receiver.pages.auth.permissions import get_my_store, require_owner
from receiver.pages.db_session import get_context

blueprint = Blueprint("backfills", __name__)

ACTIONS: dict[str, Callable[[Connection, int, int], object]] = {
    "start": lambda db, store_id, now: create_backfill(db, store_id, ALL, now),
    "pause": pause_backfill,
    "resume": resume_backfill,
    "cancel": cancel_backfill,
}
# state -> what an owner can do; in any other state all can be read once more
ACTIONS_BY_STATE = {RUNNING: ("pause", "cancel"), PAUSED: ("resume", "cancel")}


@dataclass(frozen=True, slots=True)
class BackfillView:
    """The reading of a store's customers. `progress`: None if it has never been read."""

    progress: Progress | None
    actions: tuple[str, ...]

    @property
    def given_up(self) -> bool:
        """Whether not everything was read, and nothing more will be by itself."""
        return self.progress is not None and self.progress.state in (FAILED, SHORT)

    @property
    def underway(self) -> bool:
        return self.progress is not None and self.progress.state == RUNNING


def load_backfill_view(db: Connection, store_id: int, now: int, *, mine: bool) -> BackfillView:
    """`mine`: whoever looks may also steer."""
    progress = load_progress(db, store_id, now)
    if not mine or find_store_api(db, store_id) is None:
        return BackfillView(progress, ())
    return BackfillView(progress, ACTIONS_BY_STATE.get(progress.state if progress else "", ("start",)))


@blueprint.post("/stores/<name>/backfill/<action>")
@auth_required("session")
def steer(name: str, action: str) -> ResponseReturnValue:
    """Start, pause, resume or cancel. What was done by somebody else a moment ago is no fault."""
    store = get_my_store(name)
    require_owner(store.account_id)
    act = ACTIONS.get(action) or abort(404)
    site = get_context()
    try:
        with writing(site.engine) as db:
            done = act(db, store.store_id, site.now())
    except Misconfigured:
        done = False
    if not done:
        flash("That could not be done: the reading of customers is in another state by now.", "info")
    return redirect(url_for("home.store", name=name))

"""Replays on the pages: what one would send is counted and shown first, then it is begun, watched and stopped."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from pipeline.core.roles import Role, is_allowed
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.replays import (
    MAX_SELECTED,
    ReplayRow,
    Selection,
    find_replay,
    list_replays,
)
from pipeline.operations.replays.steer import COUNTING_US, STEERS, ask_replay
from receiver.pages.activity.query import SHOWN, SHOWN_BESIDES, Query, pick_parameters, read_filter
from receiver.pages.activity.rows import load_rows
from receiver.pages.addresses import read_id, read_ids
from receiver.pages.auth.permissions import get_actor, get_my_id, get_my_store, list_my_stores, require, requires
from receiver.pages.db_session import get_context
from receiver.replay_view import STATE_TEXTS, count_not_sent, describe_plan, describe_selection

blueprint = Blueprint("replays", __name__)

PAGE_SIZE = 50
MAX_CHOICES = 50  # events of a filter that can be selected one by one
FILTER_FIELDS = ("show", "name", "source", "person_id", "subject", "since", "until")  # of both filter and selection


@dataclass(frozen=True, slots=True)
class ReplayView:
    """A replay as a page shows it."""

    row: ReplayRow
    role: Role

    @property
    def selection(self) -> str:
        return describe_selection(self.row)

    @property
    def plan(self) -> list[str]:
        return describe_plan(self.row)

    @property
    def state(self) -> str:
        return STATE_TEXTS[self.row.state]

    @property
    def look(self) -> str:
        """The kind of its state, for its colour and icon."""
        if self.row.state in ("counting", "running", "stopping"):
            return "catching_up"
        return "needs_you" if self.row.failed else "working" if self.row.state == "done" else "not_started"

    @property
    def not_sent(self) -> int:
        return count_not_sent(self.row)

    @property
    def title(self) -> str:
        """What the page is about: a question before it begins."""
        if self.row.state in ("counting", "counted"):
            return f"Send again: {self.selection}?"
        return f"{'Sending' if self.row.is_working else 'Sent'} again: {self.selection}"

    @property
    def can_act(self) -> bool:
        return is_allowed(self.role, "replay")


@blueprint.get("/replays")
@requires("see")
def index() -> str:
    """List the replays of the user's stores, newest first."""
    stores = list_my_stores()
    roles = {store.store_id: store.role for store in stores}
    with reading(get_context().engine) as conn:
        found = list_replays(conn, list(roles), before=read_id(request.args.get("before")), limit=PAGE_SIZE + 1)
    views = [ReplayView(row, roles[row.store_id]) for row in found[:PAGE_SIZE]]
    older = views[-1].row.id if len(found) > PAGE_SIZE else None
    return render_template("replays.html", replays=views, older=older, stores=stores)


@blueprint.get("/replays/new")
@requires("see")
def new() -> str:
    """Ask what to send again: all events of a filter of the feed or some of them, refused messages, dead hooks."""
    stores = list_my_stores()
    store = _choose_store(stores, request.args.get("store"))
    given = {name: value for name, value in pick_parameters(request.args).items() if name not in ("store", "replay")}
    choices = load_rows(Query(read_filter(given, (store.store_id,)), None, None, given), MAX_CHOICES) if store else []
    return render_template(
        "replay_new.html",
        stores=stores,
        store=store,
        given=given,
        hooks=bool(request.args.get("hooks")),
        choices=choices,
        shown_words=dict(SHOWN) | SHOWN_BESIDES,
        can_replay=store is not None and is_allowed(store.role, "replay"),
    )


@blueprint.post("/replays")
@requires("replay")
def create() -> ResponseReturnValue:
    """Count what a replay would send. Nothing is sent before the user has seen it."""
    store = get_my_store(request.form.get("store", ""))
    require(store.account_id, "replay")
    context = get_context()
    replay_id = ask_replay(
        context,
        store.store_id,
        _read_selection(request.form, store),
        delivers_again=bool(request.form.get("again")),
        user_id=get_my_id(),
        within_us=COUNTING_US,
    )
    return redirect(url_for("replays.show", replay_id=replay_id))


@blueprint.get("/replays/<int:replay_id>")
@requires("see")
def show(replay_id: int) -> str:
    """Show a replay: what it would send, or how far it is."""
    return render_template("replay.html", replay=_get_mine(replay_id))


@blueprint.get("/replays/<int:replay_id>/progress")
@requires("see")
def progress(replay_id: int) -> Response:
    """Render what changes. When nothing will change any more, or a question can be asked, the page is loaded anew."""
    replay = _get_mine(replay_id)
    response = make_response(render_template("replay_progress.html", replay=replay))
    if not replay.row.is_working:
        response.headers["HX-Refresh"] = "true"
    return response


@blueprint.post("/replays/<int:replay_id>/<action>")
@requires("replay")
def steer(replay_id: int, action: str) -> ResponseReturnValue:
    """Begin, stop or discard a replay. If its state has changed meanwhile, only a message is shown."""
    replay = _get_mine(replay_id)
    require(replay.row.account_id, "replay")
    if action not in STEERS:
        abort(404)
    context = get_context()
    with writing(context.engine) as conn:
        is_changed = STEERS[action](conn, replay_id, get_actor(), context.now())
    flash(
        _ANSWERS[action] if is_changed else "That is no longer possible: the state has changed in the meantime.", "info"
    )
    if action == "discard" and is_changed:
        return redirect(url_for("replays.index"))
    return redirect(url_for("replays.show", replay_id=replay_id))


_ANSWERS = {
    "start": "The replay has begun. It goes on by itself, also when you leave this page.",
    "stop": "The replay stops. What has not left is taken back, and is as it was before.",
    "discard": "Nothing was sent.",
}


def _get_mine(replay_id: int) -> ReplayView:
    """Return a replay of the user's stores, or abort with 404."""
    roles = {store.store_id: store.role for store in list_my_stores()}
    with reading(get_context().engine) as conn:
        row = find_replay(conn, replay_id)
    if row is None or row.store_id not in roles:
        abort(404)
    return ReplayView(row, roles[row.store_id])


def _choose_store(stores: list[VisibleStore], name: str | None) -> VisibleStore | None:
    """Return the named store, or the first one if none is named; abort with 404 for another account's."""
    if not name:
        return next(iter(stores), None)
    return next((store for store in stores if store.name == name), None) or abort(404)


def _read_selection(form: MultiDict[str, str], store: VisibleStore) -> Selection:
    """Return what the form selects. What cannot be read is a 404, as in the address of the feed."""
    event_ids, hook_ids = read_ids(form.getlist("id"), MAX_SELECTED), read_ids(form.getlist("hook"), MAX_SELECTED)
    if event_ids:
        return Selection("events", event_ids=event_ids)
    if hook_ids or form.get("what") == "hooks":
        return Selection("hooks", hook_ids=hook_ids)
    with_hooks = bool(form.get("with_hooks"))
    if form.get("what") == "refused":
        return Selection("refused", with_hooks=with_hooks)
    wanted = read_filter(form, (store.store_id,))
    if wanted.show == "unreadable" and not (wanted.source or wanted.person_id or wanted.subject):  # a hook has none
        return Selection("hooks", name=wanted.name, since=wanted.since, until=wanted.until)
    narrowed = {name: getattr(wanted, name) for name in FILTER_FIELDS}
    return Selection("filter", with_hooks=with_hooks, **narrowed)

"""The activity feed: what happens in the shops of the user, live, and each event with everything about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast, get_args

from flask import Blueprint, Response, abort, render_template, request

from pipeline.events.catalogue import EVENTS
from pipeline.events.money import format_money
from pipeline.events.notes import describe_note
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.engine import reading
from pipeline.ledger.queries import Activity, ActivityFilter, Show, get_event, list_activity, load_activities
from receiver.live import STORES_HEADER
from receiver.pages.activity.waterfall import build_waterfall
from receiver.pages.activity.wording import Mark, describe_outcome
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("activity", __name__)

PAGE_SIZE = 50
MAX_RAW_CHARS = 100_000  # of a body on a page; the whole is in `cratewire events show ID --json`
MAX_ROWS_REFRESHED = 100  # rows of a page that still wait
_US_PER_SECOND = 1_000_000
_PARAMETERS = ("store", "show", "event", "person", "since", "until")
_SHOWN: tuple[tuple[Show | None, str], ...] = (
    (None, "All"),
    ("waiting", "Waiting"),
    ("refused", "Could not be sent"),
    ("recovered", "Caught up"),
    ("tests", "Tests"),
)


@dataclass(frozen=True, slots=True)
class ActivityView:
    """An event as a row of the feed."""

    event: Activity
    marks: Sequence[Mark]

    @property
    def is_open(self) -> bool:
        """Whether its state will still change by itself."""
        return any(mark.tone == "waits" for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Query:
    """What the address of a page asks for. `given`: its parameters, as links to other pages repeat them."""

    wanted: ActivityFilter
    before: int | None
    after: int | None
    given: dict[str, str]

    @property
    def is_narrowed(self) -> bool:
        return bool(self.given)

    @property
    def is_filtered(self) -> bool:
        """Whether a field of the filter's form is filled in."""
        return bool(self.given.keys() - {"show", "person"})


@blueprint.get("/activity")
@requires("see")
def show() -> str:
    """Show a page of the feed."""
    stores = list_my_stores()
    query = _read_query(stores)
    rows = _load(query, limit=PAGE_SIZE + 1)
    page, is_last = rows[:PAGE_SIZE], len(rows) <= PAGE_SIZE
    return render_template(
        "activity.html",
        rows=page,
        query=query,
        shown=_SHOWN,
        stores=stores,
        events=sorted(EVENTS),
        older=None if is_last else {**query.given, "before": page[-1].event.id},
        newest=page[0].event.id if page else 0,
        is_live=query.before is None and query.wanted.until is None,
    )


@blueprint.get("/activity/new")
@requires("see")
def new() -> str:
    """Render the events that arrived after the newest one shown, and those rows anew that were waiting.

    The oldest of them come first, a page at a time: so none is skipped, however long the feed was paused.
    """
    stores = list_my_stores()
    query = _read_query(stores)
    rows = _load(query, limit=PAGE_SIZE)
    waiting = [number for text in request.args.getlist("open") if (number := _parse_id(text)) is not None]
    return render_template(
        "activity_new.html",
        rows=rows,
        refreshed=_load_mine(stores, waiting[:MAX_ROWS_REFRESHED]),
        query=query,
        newest=rows[0].event.id if rows else query.after or 0,
        has_more=len(rows) == PAGE_SIZE,
    )


@blueprint.get("/activity/<int:event_id>")
@requires("see")
def event(event_id: int) -> str:
    """Show everything about one event of the user's stores."""
    stores = list_my_stores()
    view = next(iter(_load_mine(stores, [event_id])), None) or abort(404)
    with reading(get_context().engine) as conn:
        detail = get_event(conn, event_id) or abort(404)
    return render_template(
        "event.html",
        view=view,
        detail=detail,
        shown_name=next(store.shown_name for store in stores if store.name == view.event.store),
        waterfall=build_waterfall(detail, get_context().now()),
        notes=[sentence(describe_note(note)) for note in detail.notes],
        raw=None if detail.raw is None else detail.raw.decode("utf-8", "replace")[:MAX_RAW_CHARS],
        is_cut=detail.raw is not None and len(detail.raw) > MAX_RAW_CHARS,
    )


@blueprint.get("/activity/live")
@requires("see")
def live() -> Response:
    """Begin the stream that says when something has changed. The server goes on with it: see receiver.live."""
    response = Response("retry: 1000\n\n", mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold the stream back otherwise
    response.headers[STORES_HEADER] = ",".join(str(store.store_id) for store in list_my_stores())
    return response


def _load(query: Query, limit: int) -> list[ActivityView]:
    with reading(get_context().engine) as conn:
        found = list_activity(conn, query.wanted, format_money, before=query.before, after=query.after, limit=limit)
    return _view(found)


def _load_mine(stores: list[VisibleStore], event_ids: list[int]) -> list[ActivityView]:
    """These events, without those of other accounts' stores."""
    mine = {store.name for store in stores}
    with reading(get_context().engine) as conn:
        found = load_activities(conn, event_ids, format_money)
    return _view([event for event in found if event.store in mine])


def _view(events: list[Activity]) -> list[ActivityView]:
    now = get_context().now()
    return [ActivityView(event, describe_outcome(event, now)) for event in events]


def _read_query(stores: list[VisibleStore]) -> Query:
    """Read the address. A value that cannot be read is a 404, as is another account's store."""
    given = {name: value for name in _PARAMETERS if (value := request.args.get(name))}
    mine = [store.store_id for store in stores if given.get("store") in (None, store.name)]
    if "store" in given and not mine:
        abort(404)
    shown = given.get("show")
    if shown is not None and shown not in get_args(Show):
        abort(404)
    return Query(
        ActivityFilter(
            store_ids=tuple(mine),
            show=cast("Show | None", shown),
            name=given.get("event"),
            person_id=_read_id("person"),
            since=_read_time("since"),
            until=_read_time("until"),
        ),
        before=_read_id("before"),
        after=_read_id("after"),
        given=given,
    )


def _read_id(name: str) -> int | None:
    text = request.args.get(name)
    if not text:
        return None
    number = _parse_id(text)
    return abort(404) if number is None else number


def _parse_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < len(str(2**63)) else None


def _read_time(name: str) -> int | None:
    """Read a time such as 2026-11-30T03:12, in UTC."""
    text = request.args.get(name)
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        abort(404)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp() * _US_PER_SECOND)

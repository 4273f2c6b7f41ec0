"""Replays: what one would send is counted first; then it is begun, watched and stopped."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast, get_args

from marshmallow import fields, validate
from sqlalchemy import Connection

from pipeline.events.catalogue import EVENTS
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import Show
from pipeline.ledger.replays import (
    MAX_SELECTED,
    ReplayRow,
    ReplayState,
    Selection,
    SelectionKind,
    find_replay,
    list_replays,
)
from pipeline.operations.replays.steer import COUNTING_US, STEERS, ask_replay
from receiver.api.caller import find_shop, get_actor, get_caller, get_context, load_shops
from receiver.api.fields import (
    NAME_PATTERN,
    Body,
    Document,
    Moment,
    PageQuery,
    RowId,
    build_page,
    page_of,
    shop_field,
)
from receiver.api.problems import Problem, not_found
from receiver.api.resource import Answer, Resource, count_field, describe, view
from receiver.replay_view import describe_plan, describe_progress

blueprint = Resource("replays", __name__, description="Sending again: counted first, then begun.")

_STATES = [state for state in get_args(ReplayState) if state != "discarded"]


class ReplayCountsSchema(Document):
    """What a replay found before it began."""

    events = count_field("Events looked at.")
    messages = count_field("Messages that will be sent.")
    people = count_field("People whom these are about.")
    repeats = count_field("Of the messages: have arrived, so that the platform ignores them while it knows their ids.")
    too_old = count_field("Of the messages: too old to start a campaign.")
    hooks = count_field("Unreadable hooks that will be read again.")
    old_hooks = count_field("Of the hooks: too old for their events to start a campaign.")
    arrived = count_field("Have arrived, and are not sent again.")
    waiting = count_field("Wait already, and leave by themselves.")
    withheld = count_field("About people whose data may not leave.")
    gone = count_field("Their content is no longer kept.")


class ReplaySchema(Document):
    """A replay."""

    id = RowId(required=True)
    shop = fields.String(required=True, attribute="store")
    selection = fields.Dict(required=True, metadata=describe("What was selected: ids, names and times in µs."))
    deliver_again = fields.Boolean(required=True, attribute="delivers_again")
    state = fields.String(required=True, validate=validate.OneOf([*_STATES, "discarded"]))
    counts = fields.Nested(ReplayCountsSchema, required=True)
    total = count_field("Messages and hooks that it sends again.")
    done = count_field("Sent, or became events.")
    failed = count_field("Refused, or unreadable, again.")
    left_out = count_field("Changed since they were counted: nothing to send any more.")
    taken_back = count_field("Had not left when it was stopped.")
    left = count_field("Not ended yet.")
    plan = fields.List(fields.String(), required=True, metadata=describe("What it does, in sentences."))
    progress = fields.String(required=True, metadata=describe("How far it is, in words."))
    created_at = Moment(required=True)
    started_at = Moment(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)


class ReplayQuery(PageQuery):
    """Which replays to list."""

    shop = shop_field(load_default=None)


class ReplayBody(Body):
    """What to send again."""

    shop = fields.String(required=True, metadata={"pattern": NAME_PATTERN})
    kind = fields.String(
        required=True,
        validate=validate.OneOf(get_args(SelectionKind)),
        metadata=describe(
            "refused: every refused message; events: those named in `events`; filter: those of `name`, `show`, "
            "`person`, `since` and `until`; hooks: unreadable hooks, those named in `hooks` or all."
        ),
    )
    events = fields.List(RowId(), load_default=[], validate=validate.Length(max=MAX_SELECTED))
    hooks = fields.List(RowId(), load_default=[], validate=validate.Length(max=MAX_SELECTED))
    show = fields.String(load_default=None, validate=validate.OneOf(get_args(Show)))
    name = fields.String(load_default=None, validate=validate.OneOf(sorted(EVENTS)))
    person = RowId(load_default=None)
    since = Moment(load_default=None)
    until = Moment(load_default=None)
    with_hooks = fields.Boolean(
        load_default=False, metadata=describe("Also the unreadable hooks of the same name and time.")
    )
    deliver_again = fields.Boolean(
        load_default=False, metadata=describe("Also what has arrived. Messages keep their ids.")
    )


EXAMPLE = {
    "id": "3",
    "shop": "acme",
    "selection": {"kind": "refused"},
    "deliver_again": False,
    "state": "counted",
    "counts": {**dict.fromkeys(ReplayCountsSchema().fields, 0), "events": 12, "messages": 12, "people": 9},
    "total": 12,
    "done": 0,
    "failed": 0,
    "left_out": 0,
    "taken_back": 0,
    "left": 12,
    "plan": ["12 messages will be sent, about 9 people."],
    "progress": "0 of 12 sent",
    "created_at": "2026-11-30T04:10:00.000000Z",
    "started_at": None,
    "ended_at": None,
}
ReplayPage = page_of(ReplaySchema, "ReplayPage")


@view(blueprint, "/replays", "read", Answer(ReplayPage, {"items": [EXAMPLE], "next_cursor": None}), query=ReplayQuery)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List replays

    Newest first.
    """
    before, limit = query["cursor"], query["limit"]
    with reading(get_context().engine) as conn:
        shops = load_shops(conn, query["shop"])
        rows = list_replays(conn, shops, before=before[0] if before else None, limit=limit + 1)
    page = build_page(rows, limit, lambda row: (row.id,))
    return {**page, "items": [_build(row) for row in page["items"]]}


@view(
    blueprint,
    "/replays",
    "replay",
    Answer(ReplaySchema, EXAMPLE, status=201),
    method="POST",
    body=ReplayBody,
    body_example={"shop": "acme", "kind": "refused"},
)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Count what a replay would send

    Nothing is sent before `start`. While `state` is `counting`, a worker counts the rest: ask for it again.
    """
    context = get_context()
    with reading(context.engine) as conn:
        shop_id = find_shop(conn, body["shop"])
    replay_id = ask_replay(
        context,
        shop_id,
        _read_selection(body),
        delivers_again=body["deliver_again"],
        user_id=get_caller().user_id,
        within_us=COUNTING_US,
    )
    with reading(context.engine) as conn:
        return _build(_find(conn, replay_id))


@view(blueprint, "/replays/<row_id:replay_id>", "read", Answer(ReplaySchema, EXAMPLE))
def show(replay_id: int) -> dict[str, Any]:
    """Show a replay

    What it would send, or how far it is.
    """
    with reading(get_context().engine) as conn:
        return _build(_find(conn, replay_id))


@view(blueprint, "/replays/<row_id:replay_id>/start", "replay", Answer(ReplaySchema, EXAMPLE), method="POST")
def start(replay_id: int) -> dict[str, Any]:
    """Begin a replay

    Once it is counted. It goes on by itself, behind what is live.
    """
    return _steer(replay_id, "start")


@view(blueprint, "/replays/<row_id:replay_id>/stop", "replay", Answer(ReplaySchema, EXAMPLE), method="POST")
def stop(replay_id: int) -> dict[str, Any]:
    """Stop a replay

    What has not left is taken back, and is as it was before.
    """
    return _steer(replay_id, "stop")


@view(blueprint, "/replays/<row_id:replay_id>/discard", "replay", Answer(ReplaySchema, EXAMPLE), method="POST")
def discard(replay_id: int) -> dict[str, Any]:
    """Discard a replay

    One that has not begun. Nothing was sent.
    """
    return _steer(replay_id, "discard")


def _steer(replay_id: int, action: str) -> dict[str, Any]:
    context = get_context()
    with writing(context.engine) as conn:
        row = _find(conn, replay_id)
        if not STEERS[action](conn, replay_id, get_actor(), context.now()):
            raise Problem(409, f"That is not possible while the replay is {row.state}.")
        return _build(_find(conn, replay_id))


def _find(conn: Connection, replay_id: int) -> ReplayRow:
    row = find_replay(conn, replay_id)
    if row is None or row.store_id not in load_shops(conn):
        raise not_found()
    return row


def _read_selection(body: dict[str, Any]) -> Selection:
    kind = cast("SelectionKind", body["kind"])
    span = {"since": body["since"], "until": body["until"]}
    if kind == "events":
        return Selection("events", event_ids=tuple(body["events"]))
    if kind == "hooks" or (body["show"] == "unreadable" and body["person"] is None):  # a hook has no person
        return Selection("hooks", hook_ids=tuple(body["hooks"]), name=body["name"], **span)
    if kind == "refused":
        return Selection("refused", with_hooks=body["with_hooks"])
    wanted = {"show": body["show"], "name": body["name"], "person_id": body["person"]}
    return Selection("filter", with_hooks=body["with_hooks"], **wanted, **span)


def _build(row: ReplayRow) -> dict[str, Any]:
    names = [name for name in ReplayRow.__slots__ if name not in ("selection", "counts", "user_email")]
    return {
        **{name: getattr(row, name) for name in names},
        "selection": row.selection.as_document(),
        "counts": asdict(row.counts),
        "total": row.total,
        "left": row.left,
        "plan": describe_plan(row),
        "progress": describe_progress(row),
    }

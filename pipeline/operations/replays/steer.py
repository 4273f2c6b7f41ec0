"""Asks for, begins, stops and discards replays for pages, commands and the API, and writes down who did."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.ledger.audit import Actor, record_store_action
from pipeline.ledger.engine import writing
from pipeline.ledger.replays import (
    ReplayRow,
    Selection,
    discard_replay,
    find_replay,
    insert_replay,
    start_replay,
    stop_replay,
)
from pipeline.operations.replays.count import count_replay

COUNTING_US = 150_000  # that a request counts for; a worker counts the rest
Steer = Callable[[Connection, int, Actor, int], bool]  # replay id, who, now (µs) -> whether the state allowed it


def ask_replay(
    context: Context,
    store_id: int,
    selection: Selection,
    *,
    delivers_again: bool,
    user_id: int | None,
    within_us: int | None = None,
) -> int:
    """Count what a replay would send, and return its id. Nothing is sent before `begin`.

    `within_us`: how long the caller can wait; a worker counts the rest. None: until all is counted.
    """
    now = context.now()
    with writing(context.engine) as conn:
        replay_id = insert_replay(conn, store_id, selection, delivers_again=delivers_again, user_id=user_id, now=now)
    count_replay(context.engine, replay_id, context.now, until=None if within_us is None else now + within_us)
    return replay_id


def begin(conn: Connection, replay_id: int, actor: Actor, now: int) -> bool:
    """Let a replay that was counted begin. False if it is not waiting for that."""
    row = find_replay(conn, replay_id)
    if row is None or not start_replay(conn, replay_id, now):
        return False
    _record(conn, row, actor, _name_beginning(row), now)
    return True


def stop(conn: Connection, replay_id: int, actor: Actor, now: int) -> bool:
    """Let a running replay end; what has not left is taken back. False if it is not running."""
    row = find_replay(conn, replay_id)
    if row is None or not stop_replay(conn, replay_id):
        return False
    _record(conn, row, actor, "replay.stopped", now)
    return True


def discard(conn: Connection, replay_id: int, _: Actor, now: int) -> bool:
    """Forget a replay that has not begun. False if it has."""
    return discard_replay(conn, replay_id, now)


STEERS: Mapping[str, Steer] = {"start": begin, "stop": stop, "discard": discard}


def _name_beginning(row: ReplayRow) -> str:
    """The action of the audit log: one event is named as the buttons on its page are."""
    if len(row.selection.event_ids) != 1:
        return "replay.started"
    return "delivery.repeated" if row.delivers_again else "event.retried"


def _record(conn: Connection, row: ReplayRow, actor: Actor, action: str, now: int) -> None:
    about = {"replay": row.id, "messages": row.counts.messages, "hooks": row.counts.hooks}
    if len(row.selection.event_ids) == 1:
        about["event"] = row.selection.event_ids[0]
    record_store_action(conn, row.store_id, actor, action, now, about)

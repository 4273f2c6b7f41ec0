"""Begins, stops and discards replays for pages, commands and the API, and writes down who did."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection

from pipeline.ledger.audit import Actor, record_action
from pipeline.ledger.replays import ReplayRow, discard_replay, find_replay, start_replay, stop_replay

Steer = Callable[[Connection, int, Actor, int], bool]  # replay id, who, now (µs) -> whether the state allowed it


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
    record_action(
        conn, account_id=row.account_id, store_id=row.store_id, actor=actor, action=action, at=now, about=about
    )

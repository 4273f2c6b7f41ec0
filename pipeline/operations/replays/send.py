"""Sends again what a replay has planned: a slice at a time, and never more than some messages ahead of the lanes.

A message is made pending in its old place, with its old id and behind live messages, in the transaction that notes it:
a worker that is killed has either done both or neither.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from redis import Redis
from sqlalchemy import Connection, Row, func, select, update

from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.replays import ReplayRow, update_replay
from pipeline.ledger.schema.core import DeadHook, Delivery, Event
from pipeline.ledger.schema.replays import ReplayItem
from pipeline.operations.replay import put_back
from pipeline.operations.replays.pending import has_content, lock_messages, make_pending
from pipeline.recording.load_stores import load_stores_by_name

SLICE = 50  # messages in one transaction: hooks of the same store wait for it
MAX_AHEAD = 200  # messages that wait in lanes: a stop has to take back these


class Settled(NamedTuple):
    """How many items ended, by their state."""

    done: int = 0
    failed: int = 0
    left_out: int = 0


def send_messages(conn: Connection, row: ReplayRow, now: int) -> int:
    """Make the next planned messages pending; returns how many items were taken. The caller has locked the replay."""
    room = min(SLICE, MAX_AHEAD - _count_open(conn, row.id))
    items = _list_planned(conn, row.id, ReplayItem.delivery_id, room) if room > 0 else []
    if not items:
        return 0
    stores = load_stores_by_name(conn, [row.store])  # locked, as recording does: the store first, then lanes
    found = lock_messages(conn, [item.delivery_id for item in items]) if stores else {}
    sent = {item.id: found[item.delivery_id] for item in items if _may_be_sent(found.get(item.delivery_id), row)}
    for store in stores.values():
        make_pending(conn, store, sent.values(), now)
    for item in items:
        if (before := sent.get(item.id)) is not None:
            was = {"was_status": before.status, "was_reason": before.reason, "was_done_at": before.done_at}
            conn.execute(update(ReplayItem).where(ReplayItem.id == item.id).values(state="open", **was))
    _end_items(conn, [item.id for item in items if item.id not in sent], "left_out")
    update_replay(conn, row, left_out=row.left_out + len(items) - len(sent))
    return len(items)


def send_hooks(conn: Connection, redis: Redis, row: ReplayRow, limit: int) -> int:
    """Put the next planned dead hooks into the inbox; returns how many items were taken.

    They are in the inbox before the transaction ends. If it does not, the same hooks are put there again, and are
    recognised by their receipts.
    """
    items = _list_planned(conn, row.id, ReplayItem.dead_hook_id, limit) if limit > 0 else []
    left_out = []
    for item in items:
        waiting = select(DeadHook.died_at).where(DeadHook.id == item.dead_hook_id, DeadHook.replayed_at.is_(None))
        died_at = conn.execute(waiting).scalar()
        if died_at is None or not put_back(conn, redis, item.dead_hook_id):
            left_out.append(item.id)
            continue
        conn.execute(update(ReplayItem).where(ReplayItem.id == item.id).values(state="open", was_done_at=died_at))
    _end_items(conn, left_out, "left_out")
    if left_out:
        update_replay(conn, row, left_out=row.left_out + len(left_out))
    return len(items)


def settle_items(conn: Connection, row: ReplayRow) -> Settled:
    """Note what became of the open messages and hooks. The caller has locked the replay."""
    messages, hooks = _settle_messages(conn, row.id), _settle_hooks(conn, row.id)
    settled = Settled(*(one + other for one, other in zip(messages, hooks, strict=True)))
    if any(settled):
        update_replay(
            conn,
            row,
            done=row.done + settled.done,
            failed=row.failed + settled.failed,
            left_out=row.left_out + settled.left_out,
        )
    return settled


def take_back(conn: Connection, row: ReplayRow) -> int:
    """Give open messages that have not left their old state again; returns how many. The caller has locked the replay.

    What is being sent right now arrives, and is settled later.
    """
    open_items = select(ReplayItem.__table__).where(ReplayItem.replay_id == row.id, ReplayItem.state == "open")
    items = conn.execute(open_items.where(ReplayItem.delivery_id.is_not(None)).order_by(ReplayItem.id)).all()
    found = lock_messages(conn, [item.delivery_id for item in items])
    taken = [item for item in items if item.delivery_id in found and found[item.delivery_id].status == "pending"]
    for item in taken:
        restored = {"status": item.was_status, "reason": item.was_reason, "done_at": item.was_done_at}
        conn.execute(update(Delivery).where(Delivery.id == item.delivery_id, OPEN).values(restored))
    _end_items(conn, [item.id for item in taken], "taken_back")
    if taken:
        update_replay(conn, row, taken_back=row.taken_back + len(taken))
    return len(taken)


def has_items(conn: Connection, replay_id: int, *states: str) -> bool:
    """Whether the replay has an item in one of these states."""
    found = select(ReplayItem.id).where(ReplayItem.replay_id == replay_id, ReplayItem.state.in_(states))
    return conn.execute(found.limit(1)).scalar() is not None


def _count_open(conn: Connection, replay_id: int) -> int:
    query = select(func.count()).select_from(ReplayItem)
    return conn.execute(query.where(ReplayItem.replay_id == replay_id, ReplayItem.state == "open")).scalar_one()


def _list_planned(conn: Connection, replay_id: int, of: Any, limit: int) -> list[Any]:
    """The next planned items with this id: messages in the order in which they were written."""
    query = select(ReplayItem.id, ReplayItem.delivery_id, ReplayItem.dead_hook_id)
    planned = query.where(ReplayItem.replay_id == replay_id, ReplayItem.state == "planned", of.is_not(None))
    return list(conn.execute(planned.order_by(of).limit(limit)))


def _may_be_sent(message: Row[Any] | None, row: ReplayRow) -> bool:
    """Whether a planned message can still be sent: it may have changed since it was counted."""
    if message is None or not has_content(message):
        return False
    return message.status == "dead" or (message.status == "sent" and row.delivers_again)


def _settle_messages(conn: Connection, replay_id: int) -> Settled:
    """A message that does not exist any more is left out, as one that was withheld or whose person was erased."""
    query = select(ReplayItem.id, Delivery.status.label("status"))
    query = query.join(Delivery, Delivery.id == ReplayItem.delivery_id, isouter=True)
    is_open = ReplayItem.replay_id == replay_id, ReplayItem.state == "open", ReplayItem.delivery_id.is_not(None)
    ended: defaultdict[str, list[int]] = defaultdict(list)
    for row in conn.execute(query.where(*is_open)):
        if row.status not in ("pending", "sending"):
            ended[_ENDED.get(row.status, "left_out")].append(row.id)
    return _end_all(conn, ended)


def _settle_hooks(conn: Connection, replay_id: int) -> Settled:
    """A hook that became an event, or repeated one, is done; one that died again has failed."""
    columns = DeadHook.id.label("hook_id"), DeadHook.replayed_at, DeadHook.died_at, DeadHook.receipt
    query = select(ReplayItem.id, ReplayItem.was_done_at, *columns)
    query = query.join(DeadHook, DeadHook.id == ReplayItem.dead_hook_id, isouter=True)
    is_open = ReplayItem.replay_id == replay_id, ReplayItem.state == "open", ReplayItem.dead_hook_id.is_not(None)
    ended: defaultdict[str, list[int]] = defaultdict(list)
    for row in conn.execute(query.where(*is_open)).all():
        if row.hook_id is None:
            ended["left_out"].append(row.id)
        elif row.replayed_at is not None:
            ended["done"].append(row.id)
            event_id = conn.execute(select(Event.id).where(Event.receipt == row.receipt).limit(1)).scalar()
            conn.execute(update(ReplayItem).where(ReplayItem.id == row.id).values(event_id=event_id))
        elif row.died_at != row.was_done_at:
            ended["failed"].append(row.id)
    return _end_all(conn, ended)


def _end_all(conn: Connection, ended: Mapping[str, Sequence[int]]) -> Settled:
    for state, ids in ended.items():
        _end_items(conn, ids, state)
    return Settled(*(len(ended.get(state, ())) for state in Settled._fields))


def _end_items(conn: Connection, ids: Sequence[int], state: str) -> None:
    if ids:
        conn.execute(update(ReplayItem).where(ReplayItem.id.in_(ids)).values(state=state))


_ENDED = {"sent": "done", "dead": "failed"}  # status of a message -> state of its item

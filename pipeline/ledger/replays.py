"""Replays in the ledger: what each selects, its figures, and its state. Functions work in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, cast

from sqlalchemy import Connection, Select, delete, func, insert, literal, or_, select, update

from pipeline.ledger.schema.accounts import User
from pipeline.ledger.schema.core import Store
from pipeline.ledger.schema.replays import Replay, ReplayItem

ReplayState = Literal["counting", "counted", "running", "stopping", "stopped", "done", "discarded"]
ItemState = Literal["planned", "open", "done", "failed", "left_out", "taken_back"]
SelectionKind = Literal["events", "filter", "refused", "hooks"]

COUNTING, COUNTED, RUNNING, STOPPING = "counting", "counted", "running", "stopping"
STOPPED, DONE, DISCARDED = "stopped", "done", "discarded"
MESSAGES_PHASE, HOOKS_PHASE = "messages", "hooks"  # the phase of a replay that is counted is COUNTED

MAX_SELECTED = 500  # events or dead hooks that are named one by one
_TIDY_SLICE = 1000  # items

# Literals in the SQL, as in the conditions of the partial index.
_IS_WORKING = Replay.state.in_([literal(state, literal_execute=True) for state in (COUNTING, RUNNING, STOPPING)])


@dataclass(frozen=True, slots=True)
class Selection:
    """What a replay looks at: ids, names and times only, never a person's data.

    events: these events. filter: the events of the activity feed with this filter. refused: every refused message,
    also those of no event. hooks: these dead hooks, or all. The times are µs, both included.
    """

    kind: SelectionKind
    event_ids: tuple[int, ...] = ()
    show: str | None = None
    name: str | None = None
    source: str | None = None
    person_id: int | None = None
    subject: tuple[str, int] | None = None
    since: int | None = None
    until: int | None = None
    hook_ids: tuple[int, ...] = ()
    with_hooks: bool = False  # also the dead hooks of the same name and time

    @property
    def first_phase(self) -> str:
        """What is counted first."""
        return HOOKS_PHASE if self.kind == "hooks" else MESSAGES_PHASE

    @property
    def has_hooks(self) -> bool:
        return self.kind == "hooks" or self.with_hooks

    def as_document(self) -> dict[str, Any]:
        """The selection as JSON, without what is not set."""
        return {name: value for name, value in asdict(self).items() if value not in (None, (), False)}


@dataclass(frozen=True, slots=True)
class ReplayCounts:
    """What a replay found before it began. A message to one person at one platform counts once.

    `repeats` and `too_old` are among `messages`, `old_hooks` among `hooks`; the others are not sent.
    """

    events: int = 0  # looked at
    messages: int = 0  # will be sent
    people: int = 0  # whom these messages are about
    repeats: int = 0  # have arrived under the same id: the platform ignores them while it remembers the id
    too_old: int = 0  # events that happened too long ago to start a campaign
    hooks: int = 0  # dead hooks, which will be read again
    old_hooks: int = 0  # came too long ago for their events to start a campaign
    arrived: int = 0  # have arrived, and are not sent again
    waiting: int = 0  # wait already, and leave by themselves
    withheld: int = 0  # about people whose data may not leave
    gone: int = 0  # their content is no longer kept

    def plus(self, more: Mapping[str, int]) -> ReplayCounts:
        return ReplayCounts(**{name: value + more.get(name, 0) for name, value in asdict(self).items()})


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """A replay. Times are µs."""

    id: int
    store_id: int
    account_id: int
    store: str
    store_title: str | None
    user_id: int | None
    user_email: str | None = field(repr=False)
    selection: Selection
    delivers_again: bool
    state: ReplayState
    phase: str
    cursor: int
    counts: ReplayCounts
    done: int
    failed: int
    left_out: int
    taken_back: int
    created_at: int
    started_at: int | None
    ended_at: int | None

    @property
    def total(self) -> int:
        """How many messages and hooks it sends again."""
        return self.counts.messages + self.counts.hooks

    @property
    def left(self) -> int:
        """How many of them have not ended. What a stopped replay never began stays among them."""
        return self.total - self.done - self.failed - self.left_out - self.taken_back

    @property
    def is_working(self) -> bool:
        """Whether a worker has something to do for it."""
        return self.state in (COUNTING, RUNNING, STOPPING)

    @property
    def shown_store(self) -> str:
        return self.store_title or self.store


def read_selection(document: Mapping[str, Any]) -> Selection:
    """The selection that `as_document` wrote. Keys of a later release are ignored."""
    known = {one.name for one in fields(Selection)}
    values = {name: value for name, value in document.items() if name in known}
    for name in ("event_ids", "hook_ids", "subject"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    return Selection(**values)


def insert_replay(
    conn: Connection, store_id: int, selection: Selection, *, delivers_again: bool, user_id: int | None, now: int
) -> int:
    """Begin to count what a replay would send; returns its id. Nothing is sent before `start_replay`."""
    values = {"store_id": store_id, "user_id": user_id, "selection": selection.as_document(), "created_at": now}
    state = {"state": COUNTING, "phase": selection.first_phase, "counts": {}, "delivers_again": delivers_again}
    return conn.execute(insert(Replay).values(**values, **state).returning(Replay.id)).scalar_one()


def find_replay(conn: Connection, replay_id: int, *, locked: bool = False) -> ReplayRow | None:
    """The replay with this id; `locked`: until the transaction ends."""
    query = _rows().where(Replay.id == replay_id)
    row = conn.execute(query.with_for_update(of=Replay) if locked else query).one_or_none()
    return None if row is None else _build_row(row)


def list_replays(
    conn: Connection, store_ids: Collection[int], *, before: int | None = None, limit: int = 50
) -> list[ReplayRow]:
    """A page of these stores' replays, newest first; those that were discarded are not listed."""
    query = _rows().where(Replay.store_id.in_(store_ids), Replay.state != DISCARDED)
    query = query if before is None else query.where(Replay.id < before)
    return [_build_row(row) for row in conn.execute(query.order_by(Replay.id.desc()).limit(limit))]


def list_working(conn: Connection) -> list[int]:
    """The ids of all replays for which a worker has something to do, the oldest first."""
    return list(conn.execute(select(Replay.id).where(_IS_WORKING).order_by(Replay.id)).scalars())


def start_replay(conn: Connection, replay_id: int, now: int) -> bool:
    """Let a replay that was counted begin. False if it is not waiting for that."""
    return _change_state(conn, replay_id, (COUNTED,), state=RUNNING, started_at=now)


def stop_replay(conn: Connection, replay_id: int) -> bool:
    """Let a running replay end: what has not left is taken back. False if it is not running."""
    return _change_state(conn, replay_id, (RUNNING,), state=STOPPING)


def discard_replay(conn: Connection, replay_id: int, now: int) -> bool:
    """Forget a replay that has not begun. False if it has."""
    return _change_state(conn, replay_id, (COUNTING, COUNTED), state=DISCARDED, ended_at=now)


def update_replay(conn: Connection, row: ReplayRow, **changed: Any) -> None:
    """Change a replay that the caller has locked."""
    conn.execute(update(Replay).where(Replay.id == row.id).values(changed))


def insert_items(conn: Connection, replay: ReplayRow, items: Sequence[Mapping[str, Any]]) -> None:
    """Plan messages and hooks. `items`: their ids, as columns of the table."""
    empty = {"delivery_id": None, "dead_hook_id": None, "event_id": None, "person_id": None}
    common = {"replay_id": replay.id, "store_id": replay.store_id, "state": "planned"}
    if items:
        conn.execute(insert(ReplayItem), [{**empty, **common, **item} for item in items])


def count_people(conn: Connection, replay_id: int) -> int:
    """How many people the planned messages are about."""
    people = select(func.count(ReplayItem.person_id.distinct())).where(ReplayItem.replay_id == replay_id)
    return conn.execute(people).scalar_one()


def tidy_replays(conn: Connection, counted_before: int, ended_before: int, now: int) -> int:
    """Discard what was counted and never begun, and delete old replays, some items at a time; returns how many rows."""
    never_begun = update(Replay).where(Replay.state == COUNTED, Replay.created_at < counted_before)
    conn.execute(never_begun.values(state=DISCARDED, ended_at=now))
    old = or_(Replay.state == DISCARDED, Replay.ended_at < ended_before)
    replay_id = conn.execute(select(Replay.id).where(old).order_by(Replay.id).limit(1)).scalar()
    if replay_id is None:
        return 0
    some = select(ReplayItem.id).where(ReplayItem.replay_id == replay_id).limit(_TIDY_SLICE)
    deleted = conn.execute(delete(ReplayItem).where(ReplayItem.id.in_(some))).rowcount
    if deleted < _TIDY_SLICE:
        deleted += conn.execute(delete(Replay).where(Replay.id == replay_id)).rowcount
    return deleted


def _change_state(conn: Connection, replay_id: int, states: Collection[str], **changed: Any) -> bool:
    statement = update(Replay).where(Replay.id == replay_id, Replay.state.in_(states))
    return conn.execute(statement.values(changed)).rowcount == 1


def _rows() -> Select[Any]:
    columns = [getattr(Replay, one.name) for one in fields(ReplayRow) if hasattr(Replay, one.name)]
    names = (
        Store.account_id,
        Store.name.label("store"),
        Store.title.label("store_title"),
        User.email.label("user_email"),
    )
    query = select(*columns, *names).join(Store, Store.id == Replay.store_id)
    return query.join(User, User.id == Replay.user_id, isouter=True)


def _build_row(row: Any) -> ReplayRow:
    values = row._asdict()
    values["selection"] = read_selection(values["selection"])
    values["counts"] = ReplayCounts(**values["counts"])
    values["state"] = cast("ReplayState", values["state"])
    return ReplayRow(**values)

"""Work on batches and files that people ask for, and how far each has come. In the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection, delete, null, select, update

from pipeline.ledger.audit import Actor, Via
from pipeline.ledger.schema.fulfilment import FulfilmentWork
from pipeline.ledger.sql.tables import insert_into

WorkKind = Literal["forecast", "freeze", "export", "import"]
WorkState = Literal["previewed", "waiting", "running", "done", "failed"]
DAY_US = 86_400 * 1_000_000
ROWS_KEPT_US = 7 * DAY_US  # of a returned file; one that is not confirmed by then is forgotten
FORECASTS_KEPT_US = 30 * DAY_US
KEPT_US = 400 * DAY_US
_OPEN = FulfilmentWork.ended_at.is_(None)
_COLUMNS = [column for column in FulfilmentWork.__table__.columns if column.name != "rows"]


@dataclass(frozen=True, slots=True)
class NewWork:
    """What is asked for. `subject`: what can only be done once at a time; `rows`: of a returned file."""

    store_id: int
    kind: WorkKind
    subject: str
    wanted: Mapping[str, Any]
    rows: list[Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WorkRow:
    """Work as the ledger has it, without the rows of a returned file; the table says what its columns mean."""

    id: int
    store_id: int
    kind: WorkKind
    subject: str
    state: WorkState
    wanted: dict[str, Any]
    via: Via
    user_id: int | None
    token_id: int | None
    requested_at: int
    begun_at: int | None
    next_turn_at: int
    attempts: int
    cursor: str | None
    total: int | None
    done: int
    result: dict[str, Any] = field(repr=False)
    reason: str | None
    ended_at: int | None

    @property
    def actor(self) -> Actor:
        """Who asked for it."""
        return Actor(self.via, self.user_id, self.token_id)

    @property
    def is_working(self) -> bool:
        """Whether a worker has it, or will take it up."""
        return self.state in ("waiting", "running")


def insert_work(conn: Connection, new: NewWork, actor: Actor, now: int, state: WorkState = "waiting") -> WorkRow:
    """Ask for work; returns what is open of the same subject, if there is some."""
    values: dict[str, Any] = {name: getattr(new, name) for name in ("store_id", "kind", "subject")}
    values |= {"wanted": dict(new.wanted), "rows": null() if new.rows is None else new.rows, "state": state}
    values |= {"via": actor.via, "user_id": actor.user_id, "token_id": actor.token_id}
    values |= {"requested_at": now, "next_turn_at": 0, "attempts": 0, "done": 0, "result": {}}
    conn.execute(insert_into(conn, FulfilmentWork).values(values).on_conflict_do_nothing())
    same = FulfilmentWork.store_id == new.store_id, FulfilmentWork.subject == new.subject
    row = conn.execute(select(*_COLUMNS).where(*same, _OPEN)).one()
    return WorkRow(**row._asdict())


def find_work(conn: Connection, store_id: int, work_id: int) -> WorkRow | None:
    """The store's work with this id."""
    mine = FulfilmentWork.store_id == store_id, FulfilmentWork.id == work_id
    row = conn.execute(select(*_COLUMNS).where(*mine)).one_or_none()
    return None if row is None else WorkRow(**row._asdict())


def find_last_work(conn: Connection, store_id: int, subject: str, state: WorkState | None = None) -> WorkRow | None:
    """The newest work of this subject, in this state if one is named."""
    query = select(*_COLUMNS).where(FulfilmentWork.store_id == store_id, FulfilmentWork.subject == subject)
    if state is not None:
        query = query.where(FulfilmentWork.state == state)
    row = conn.execute(query.order_by(FulfilmentWork.id.desc()).limit(1)).one_or_none()
    return None if row is None else WorkRow(**row._asdict())


def list_work(
    conn: Connection,
    store_id: int,
    kinds: Collection[WorkKind] = (),
    *,
    before: int | None = None,
    limit: int = 50,
) -> list[WorkRow]:
    """The store's work, of these kinds or all, the newest first. `before`: the id of the last one shown."""
    query = select(*_COLUMNS).where(FulfilmentWork.store_id == store_id)
    if before is not None:
        query = query.where(FulfilmentWork.id < before)
    if kinds:
        query = query.where(FulfilmentWork.kind.in_(sorted(kinds)))
    rows = conn.execute(query.order_by(FulfilmentWork.id.desc()).limit(limit))
    return [WorkRow(**row._asdict()) for row in rows]


def list_due_work(conn: Connection, now: int) -> list[tuple[int, int]]:
    """(store, id) of what a worker has to take up, of all stores, the oldest first."""
    due = FulfilmentWork.state.in_(("waiting", "running")), FulfilmentWork.next_turn_at <= now
    query = select(FulfilmentWork.store_id, FulfilmentWork.id).where(*due, _OPEN).order_by(FulfilmentWork.id)
    return [(row.store_id, row.id) for row in conn.execute(query)]


def load_rows(conn: Connection, work_id: int) -> list[Any] | None:
    """The rows of a returned file; None once they are no longer kept."""
    query = select(FulfilmentWork.rows).where(FulfilmentWork.id == work_id)
    found: list[Any] | None = conn.execute(query).scalar_one_or_none()
    return found


def begin_turn(conn: Connection, store_id: int, work_id: int, now: int, retry_us: int) -> WorkRow | None:
    """Take it up, and count the attempt before anything can go wrong; None if there is nothing to do now.

    `retry_us`: for each attempt so far, how long to wait for the next should this worker be killed.
    """
    row = find_work(conn, store_id, work_id)
    if row is None or not row.is_working or row.next_turn_at > now:
        return None
    changed: dict[str, Any] = {"state": "running", "begun_at": row.begun_at or now, "attempts": row.attempts + 1}
    save_work(conn, work_id, next_turn_at=now + retry_us * changed["attempts"], **changed)
    return find_work(conn, store_id, work_id)


def save_work(conn: Connection, work_id: int, **changed: Any) -> bool:
    """Write down how far it has come; False if it has ended."""
    of_work = FulfilmentWork.id == work_id
    return conn.execute(update(FulfilmentWork).where(of_work, _OPEN).values(changed)).rowcount == 1


def end_work(
    conn: Connection, work_id: int, now: int, *, reason: str | None = None, result: Mapping[str, Any] | None = None
) -> bool:
    """It is done; or it has failed, if there is a reason. False if it has ended before."""
    changed: dict[str, Any] = {"state": "done" if reason is None else "failed", "reason": reason, "ended_at": now}
    if result is not None:
        changed["result"] = dict(result)
    return save_work(conn, work_id, **changed)


def confirm_import(conn: Connection, work_id: int, actor: Actor) -> bool:
    """Let an import begin that was only previewed; False if it has begun."""
    previewed = FulfilmentWork.id == work_id, FulfilmentWork.state == "previewed", FulfilmentWork.rows.is_not(None)
    who = {"via": actor.via, "user_id": actor.user_id, "token_id": actor.token_id}
    return conn.execute(update(FulfilmentWork).where(*previewed).values(state="waiting", **who)).rowcount == 1


def tidy_work(conn: Connection, now: int) -> int:
    """Forget the rows of files, previews that no person confirmed, and what is old; returns how many are deleted."""
    requested_at = FulfilmentWork.requested_at
    has_ended = FulfilmentWork.ended_at.is_not(None)
    old_rows = has_ended, FulfilmentWork.rows.is_not(None), requested_at <= now - ROWS_KEPT_US
    conn.execute(update(FulfilmentWork).where(*old_rows).values(rows=null()))
    deleted = 0
    for gone in (
        (FulfilmentWork.state == "previewed", requested_at <= now - ROWS_KEPT_US),
        (FulfilmentWork.kind == "forecast", has_ended, requested_at <= now - FORECASTS_KEPT_US),
        (has_ended, requested_at <= now - KEPT_US),
    ):
        deleted += conn.execute(delete(FulfilmentWork).where(*gone)).rowcount
    return deleted

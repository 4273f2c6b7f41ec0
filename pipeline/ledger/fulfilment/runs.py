"""Runs of a warehouse's jobs. The start of the last one that read everything is the job's watermark."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from pipeline.ledger.schema.fulfilment import FulfilmentOrder, FulfilmentRun


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the ledger has it."""

    id: int
    store_id: int
    job: str
    is_full: bool
    started_at: int
    ended_at: int | None
    pages: int
    rows: int
    cursor: str | None
    is_ok: bool
    error: str | None


def begin_run(conn: Connection, store_id: int, job: str, now: int, *, is_full: bool = False) -> int:
    """Write down that a job begins; returns the run's id. A killed run stays without an end: it moves no watermark."""
    values = {"store_id": store_id, "job": job, "is_full": is_full, "started_at": now}
    return conn.execute(insert(FulfilmentRun).values(values).returning(FulfilmentRun.id)).scalar_one()


def get_run(conn: Connection, run_id: int) -> RunRow:
    """The run with this id. Raises NoResultFound if there is none."""
    row = conn.execute(select(FulfilmentRun.__table__).where(FulfilmentRun.id == run_id)).one()
    return RunRow(**row._asdict())


def end_run(conn: Connection, run_id: int, now: int, *, pages: int, rows: int, error: str | None = None) -> None:
    """Write down how the run ended. Without an error every page was read and every row committed."""
    ended = {"ended_at": now, "pages": pages, "rows": rows, "cursor": None, "is_ok": error is None, "error": error}
    conn.execute(update(FulfilmentRun).where(FulfilmentRun.id == run_id).values(ended))


def park_run(
    conn: Connection, run_id: int, *, pages: int, rows: int, cursor: str | None, error: str | None = None
) -> None:
    """Write down how far a run has come that goes on later. `error`: what it could not read so far."""
    parked = {"pages": pages, "rows": rows, "cursor": cursor or "", "error": error}
    conn.execute(update(FulfilmentRun).where(FulfilmentRun.id == run_id).values(parked))


def find_parked_run(conn: Connection, store_id: int, job: str, after: int) -> RunRow | None:
    """The job's newest run, if it waits and has begun after that time."""
    last = find_last_run(conn, store_id, job)
    is_parked = last is not None and last.ended_at is None and last.cursor is not None and last.started_at > after
    return last if is_parked else None


def find_last_run(conn: Connection, store_id: int, job: str, **which: bool) -> RunRow | None:
    """The job's newest run; `which` may name `is_ok` or `is_full`."""
    query = select(FulfilmentRun.__table__).filter_by(store_id=store_id, job=job, **which)
    row = conn.execute(query.order_by(FulfilmentRun.id.desc()).limit(1)).one_or_none()
    return None if row is None else RunRow(**row._asdict())


def list_last_runs(conn: Connection, store_id: int) -> list[RunRow]:
    """The newest run of each job, by its name."""
    newest = select(func.max(FulfilmentRun.id)).where(FulfilmentRun.store_id == store_id).group_by(FulfilmentRun.job)
    query = select(FulfilmentRun.__table__).where(FulfilmentRun.id.in_(newest)).order_by(FulfilmentRun.job)
    return [RunRow(**row._asdict()) for row in conn.execute(query)]


def request_sweep(conn: Connection, store_id: int, now: int) -> None:
    """Have everything of a store searched again, and what is held, left out or cooling off read: its settings have
    changed. A worker that has judged a box that cools off by the settings of before must not write it down.
    """
    searches = FulfilmentRun.store_id == store_id, FulfilmentRun.job.startswith("pull_")
    conn.execute(delete(FulfilmentRun).where(*searches))
    kept = FulfilmentOrder.store_id == store_id, FulfilmentOrder.state.in_(("held", "skipped"))
    conn.execute(update(FulfilmentOrder).where(*kept).values(cratejoy_checked_at=None))
    cooling = FulfilmentOrder.state == "discovered", FulfilmentOrder.reason == "cooling_off"
    anew = {"next_attempt_at": now, "version": FulfilmentOrder.version + 1}
    conn.execute(update(FulfilmentOrder).where(FulfilmentOrder.store_id == store_id, *cooling).values(anew))


def delete_old_runs(conn: Connection, before: int) -> int:
    """Delete runs from before then, except the last good one, and the last good full one, of each job."""
    keep = select(func.max(FulfilmentRun.id)).where(FulfilmentRun.is_ok)
    by = FulfilmentRun.store_id, FulfilmentRun.job, FulfilmentRun.is_full
    old = FulfilmentRun.started_at < before, FulfilmentRun.id.not_in(keep.group_by(*by))
    return conn.execute(delete(FulfilmentRun).where(*old)).rowcount

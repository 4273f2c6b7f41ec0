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
    is_ok: bool
    error: str | None


def begin_run(conn: Connection, store_id: int, job: str, now: int, *, is_full: bool = False) -> int:
    """Write down that a job begins; returns the run's id. A killed run stays without an end: it moves no watermark."""
    values = {"store_id": store_id, "job": job, "is_full": is_full, "started_at": now}
    return conn.execute(insert(FulfilmentRun).values(values).returning(FulfilmentRun.id)).scalar_one()


def end_run(conn: Connection, run_id: int, now: int, *, pages: int, rows: int, error: str | None = None) -> None:
    """Write down how the run ended. Without an error every page was read and every row committed."""
    ended = {"ended_at": now, "pages": pages, "rows": rows, "is_ok": error is None, "error": error}
    conn.execute(update(FulfilmentRun).where(FulfilmentRun.id == run_id).values(ended))


def find_last_run(conn: Connection, store_id: int, job: str, **which: bool) -> RunRow | None:
    """The job's newest run; `which` may name `is_ok` or `is_full`."""
    query = select(FulfilmentRun.__table__).filter_by(store_id=store_id, job=job, **which)
    row = conn.execute(query.order_by(FulfilmentRun.id.desc()).limit(1)).one_or_none()
    return None if row is None else RunRow(**row._asdict())


def request_sweep(conn: Connection, store_id: int) -> None:
    """Have everything of a store searched again, at once, and held boxes read again: its settings have changed."""
    searches = FulfilmentRun.store_id == store_id, FulfilmentRun.job.startswith("pull_")
    conn.execute(delete(FulfilmentRun).where(*searches))
    held = FulfilmentOrder.store_id == store_id, FulfilmentOrder.state == "held"
    conn.execute(update(FulfilmentOrder).where(*held).values(cratejoy_checked_at=None))


def delete_old_runs(conn: Connection, before: int) -> int:
    """Delete runs from before then, except the last good one, and the last good full one, of each job."""
    keep = select(func.max(FulfilmentRun.id)).where(FulfilmentRun.is_ok)
    by = FulfilmentRun.store_id, FulfilmentRun.job, FulfilmentRun.is_full
    old = FulfilmentRun.started_at < before, FulfilmentRun.id.not_in(keep.group_by(*by))
    return conn.execute(delete(FulfilmentRun).where(*old)).rowcount

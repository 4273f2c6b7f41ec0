"""Deletes what is older than the settings say, in slices so short that hooks do not notice.

A slice is one transaction. How long the last one held the write lock decides how large the next one is; on SQLite one
that takes too long is broken off and repeated with fewer rows. Between two slices the sweep rests for several times as
long as the slice took, and as soon as a hook is delayed it gives way.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from pipeline.context import Context
from pipeline.core.slice_size import MAX_LOCK_S, SliceSize
from pipeline.inbox import stream
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.retention.kinds import KINDS, Candidate, Kind
from pipeline.ledger.retention.progress import Progress, load_progress, save_progress
from pipeline.ledger.vacuum import count_free_pages, empty_log, vacuum_step
from pipeline.settings import Settings

DAY_US = 86_400_000_000
PASS_INTERVAL_US = 3_600_000_000  # from the end of a pass to the next one
MAX_KIND_S = 3.0  # of one sweep, for each kind
MAX_VACUUM_S = 3.0
MAX_HOOK_WAIT_US = 500_000  # a hook that waits in the inbox for longer is delayed, and comes first
MAX_GIVE_WAY_S = 0.5  # how long a sweep waits for delayed hooks, before it ends
_POLL_S = 0.02
_REST = 4  # times as long as the last slice took
_MIN_REST_S = 0.02
_SHRINK = 4  # of a slice that was broken off
_WINDOW = 1_000  # rows that are read at once
_BREAK_OFF_S = MAX_LOCK_S * 0.7  # the commit is still to come
_STEPS_PER_CHECK = 2_000  # of SQLite's virtual machine
_MIN_FREE_PAGES = 2_048
_LEAST_PAGES = 20  # of a vacuum step
_LEAST_ROWS = 50  # of a slice, unless it was broken off: fewer cost as much, for the statements themselves
_MIN_FREE_SHARE = 0.1  # of the file: what new rows will use again need not be cut off


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds that only grow, and sleeping."""

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def get_days_by_kind(settings: Settings) -> dict[str, int]:
    """Kind -> how many days it is kept; 0: for ever."""
    return {kind.name: getattr(settings, f"keep_{kind.name}_days") for kind in KINDS}


def sweep(context: Context, clock: Clock | None = None) -> dict[str, int]:
    """Delete for a few seconds what is due; returns kind -> rows deleted. The next sweep goes on from there."""
    clock = clock or Clock()
    with reading(context.engine) as conn:
        known = load_progress(conn)
    days = get_days_by_kind(context.settings)
    due = [
        (kind, progress)
        for kind in KINDS
        if days[kind.name] and is_due(progress := known.get(kind.name, Progress(kind.name)), context.now())
    ]
    context.rng.shuffle(due)  # one that hooks cut short must not always be the last
    deleted: dict[str, int] = {}
    has_ended = False
    for kind, progress in due:
        work = _KindSweep(context, clock, kind, progress)
        work.run()
        if count := work.progress.deleted - progress.deleted:
            deleted[kind.name] = count
        if work.has_given_way:
            return deleted
        has_ended |= work.progress.began_at is None
    _give_space_back(context, clock)
    if has_ended:
        empty_log(context.engine)
    return deleted


def is_due(progress: Progress, now: int) -> bool:
    """Whether a pass is under way, or the last one is an interval old; or lies ahead, as the clock was set back."""
    if progress.began_at is not None or progress.swept_at is None:
        return True
    return not now - PASS_INTERVAL_US < progress.swept_at <= now


@dataclass(slots=True)
class _KindSweep:
    """The work of one sweep on one kind."""

    context: Context
    clock: Clock
    kind: Kind
    progress: Progress
    has_given_way: bool = False

    def run(self) -> None:
        """Delete slices until the time is up, the pass has ended, or hooks wait; at least one slice."""
        before, now, until = self.progress, self.context.now(), self.clock.monotonic() + MAX_KIND_S
        cutoff = now - get_days_by_kind(self.context.settings)[self.kind.name] * DAY_US
        if before.began_at is None:
            self.progress = before.begin_pass(now, restarts=self.kind.restarts)
        saved, rows = before, list[Candidate]()
        while self.clock.monotonic() < until and not self.has_given_way:
            rows = rows or self._find(cutoff)
            if not rows:
                self.progress = self.progress.end_pass(self.context.now())
                break
            part = take_slice(rows, self.progress.slice_size)
            if going := [row.id for row in part if row.may_go]:
                self.has_given_way = not _let_hooks_pass(self.context, self.clock)
                if not self._delete(going, part, cutoff):
                    continue
                saved = self.progress
            else:
                self.progress = _move_on(self.progress, part)
            rows = rows[len(part) :]
        if self.progress != saved:
            with writing(self.context.engine) as conn:
                save_progress(conn, self.progress)

    def _find(self, cutoff: int) -> list[Candidate]:
        """The next rows, up to the last old one among them; none if none is old."""
        params = {"after": self.progress.cursor, "cutoff": cutoff, "most": _WINDOW}
        with reading(self.context.engine) as conn:
            rows = [Candidate(*row) for row in conn.execute(self.kind.find, params)]
        while rows and not rows[-1].is_old:
            rows.pop()
        return rows

    def _delete(self, going: Sequence[int], part: Sequence[Candidate], cutoff: int) -> bool:
        """Delete one slice, in one transaction, and rest. False if it took too long: nothing has changed then, except
        that the next one is smaller.
        """
        size = SliceSize(self.progress.slice_size, smallest=_LEAST_ROWS)
        try:
            with writing(self.context.engine) as conn:
                began = self.clock.monotonic()
                with _broken_off(conn, self.clock, is_allowed=len(going) > 1):
                    deleted = self.kind.delete(conn, going, cutoff)
                moved = _move_on(self.progress, part, all_gone=deleted >= len(going))
                moved = replace(moved, deleted=moved.deleted + deleted)
                save_progress(conn, moved)
                work_s = self.clock.monotonic() - began
        except OperationalError as error:
            if not _is_broken_off(error):
                raise
            self.progress = replace(self.progress, slice_size=max(1, len(going) // _SHRINK))
            return False
        except IntegrityError:  # another transaction has just written a row that points to one of these
            self.progress = _move_on(self.progress, part, all_gone=False)
            return True
        took_s = self.clock.monotonic() - began
        size.adjust(len(going), work_s, took_s - work_s)
        self.progress = replace(moved, slice_size=size.size)
        self.clock.sleep(max(_MIN_REST_S, took_s * _REST))
        return True


def take_slice(rows: Sequence[Candidate], size: int) -> Sequence[Candidate]:
    """The first rows, with up to so many that may go."""
    going = 0
    for position, row in enumerate(rows):
        going += row.may_go
        if going == size:
            return rows[: position + 1]
    return rows


def _move_on(progress: Progress, part: Sequence[Candidate], *, all_gone: bool = True) -> Progress:
    """Past these rows. `all_gone`: those that may go are deleted; the others stay for the next pass."""
    staying = [row.id for row in part if not (row.may_go and all_gone)]
    behind = min([*staying, *([] if progress.left_behind is None else [progress.left_behind])], default=None)
    return replace(progress, cursor=part[-1].id, left_behind=behind)


def _let_hooks_pass(context: Context, clock: Clock) -> bool:
    """Wait for a moment while hooks are delayed; returns whether none is."""
    until = clock.monotonic() + MAX_GIVE_WAY_S
    while _is_hook_delayed(context):
        if clock.monotonic() >= until:
            return False
        clock.sleep(_POLL_S)
    return True


def _is_hook_delayed(context: Context) -> bool:
    oldest = stream.get_oldest_received_at(context.redis)
    return oldest is not None and oldest < context.now() - MAX_HOOK_WAIT_US


@contextmanager
def _broken_off(conn: Connection, clock: Clock, *, is_allowed: bool) -> Iterator[None]:
    """Break statements off that hold SQLite's write lock for too long. A slice of one row cannot be made smaller."""
    if conn.dialect.name != "sqlite" or not is_allowed:
        yield
        return
    driver: Any = conn.connection.driver_connection
    until = clock.monotonic() + _BREAK_OFF_S
    driver.set_progress_handler(lambda: clock.monotonic() > until, _STEPS_PER_CHECK)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def _is_broken_off(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def _give_space_back(context: Context, clock: Clock) -> None:
    """Cut free pages off SQLite's file, as long as many are free."""
    size, until = SliceSize(smallest=_LEAST_PAGES), clock.monotonic() + MAX_VACUUM_S
    while clock.monotonic() < until:
        free, pages = count_free_pages(context.engine)
        if free <= max(_MIN_FREE_PAGES, pages * _MIN_FREE_SHARE):
            return
        if not _let_hooks_pass(context, clock) or not vacuum_step(context.engine, size):
            return
        clock.sleep(_MIN_REST_S)

"""Delivers lanes: claims messages, sends them and records the outcomes until each lane has to stop.

Lanes that are run together share the leases' round trips, the look at the ledger, and the transactions in which they
claim and settle; their calls are made side by side. None waits for another's call, or suffers from another's failure.
It knows no platform and never sleeps: a wait is a time in the lane's row, at which the sweep starts the lane again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from structlog.contextvars import bound_contextvars

from pipeline.core.errors import StaleFence
from pipeline.core.messages import LIVE_PRIORITY, ConnectionBroken
from pipeline.delivery.lane_run import BUDGET_REASON, LaneRun, describe_error, to_us
from pipeline.delivery.metrics import find_stop, record_send, record_wait
from pipeline.delivery.open_connection import LaneDeps, LaneReport, SendCall
from pipeline.delivery.slow_lanes import record_latencies
from pipeline.infra.rate_limit.budget import Budget
from pipeline.infra.rate_limit.budgets import acquire_each
from pipeline.infra.redis_leases import Leases
from pipeline.ledger.deliveries import (
    Claims,
    LaneId,
    LaneState,
    Settled,
    acquire_lane,
    claim_lanes,
    find_next_priorities,
    pause_connection,
    peek_lanes,
    postpone_lane,
    settle_lanes,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.faults import classify_database_error

MAX_SHARED_MESSAGES = 2_000  # that the lanes of one claim have in memory, whatever each platform takes at a time

Result = TypeVar("Result")


def run_lane(deps: LaneDeps, connection_id: int, lane: int, *, until: int) -> LaneReport:
    """Deliver what is pending in the lane until it is empty, has to wait, or `until` (µs) has passed.

    Raises redis.RedisError or SQLAlchemyError if Redis or the database is unavailable. What was claimed then is sent
    again by the next run, with the same ids.
    """
    report = run_lanes(deps, [(connection_id, lane)], until=until)[connection_id, lane]
    if isinstance(report, Exception):
        raise report
    return report


def run_lanes(deps: LaneDeps, lanes: Collection[LaneId], *, until: int) -> dict[LaneId, LaneReport | Exception]:
    """Deliver these lanes as `run_lane` does. Returns what became of each, without those that end later.

    An error that concerns all of them, as when Redis or the database is unavailable, is raised.
    """
    runs = [LaneRun(lane_id, deps.context.rng) for lane_id in dict.fromkeys(lanes)]
    late: set[LaneRun] = set()
    group = _Group(deps, until, late)
    group.run_once(runs)
    # A message written while this run was releasing a lane found it held, so no other task comes for it.
    while arrived := group.find_late_arrivals(run for run in runs if run not in late):
        group.run_once(arrived)
    return {run.id: run.build_report() for run in runs if run not in late}


class _Group:
    """Lanes that run together. Those in `late` are finished by the threads of their sends."""

    def __init__(self, deps: LaneDeps, until: int, late: set[LaneRun]) -> None:
        self._deps = deps
        self._until = until
        self._late = late

    def run_once(self, runs: Sequence[LaneRun]) -> None:
        """Drain the lanes under their leases."""
        leases = Leases(self._deps.context.redis, self._deps.context.make_nonce(), self._deps.lease_ms)
        ours = leases.acquire([run.key for run in runs])
        try:
            for run in runs:
                run.stopped = None if run.key in ours else "held"
            leases.keep_renewed()
            self._drain(_list_active(runs), leases)
        finally:
            leases.release([run.key for run in runs if run not in self._late])

    def find_late_arrivals(self, runs: Iterable[LaneRun]) -> list[LaneRun]:
        """Those in which messages wait that were written before their leases were released."""
        ended = {run.id: run for run in runs if run.error is None and run.stopped in ("empty", "yields")}
        if not ended:
            return []
        with reading(self._deps.context.engine) as conn:
            priorities = find_next_priorities(conn, list(ended))
        arrived = ((run, priorities.get(run.id)) for run in ended.values())
        return [run for run, one in arrived if one == LIVE_PRIORITY or (one is not None and run.stopped == "empty")]

    def _drain(self, runs: Sequence[LaneRun], leases: Leases) -> None:
        if not runs:
            return
        with reading(self._deps.context.engine) as conn:
            seen = peek_lanes(conn, [run.id for run in runs])
        for run in runs:
            run.look(seen.get(run.id, LaneState()), self._deps.context.now())
        active = _keep_ours(_list_active(runs), leases)  # the rows just read may be those of other holders at work
        for run in active:
            run.open(self._deps.open_connection, seen[run.id].connection)
            self._postpone_if_failed(run)
        active = self._step(_list_active(active), leases)
        while active:
            leases.release([run.key for run in runs if run not in active and run not in self._late])
            active = self._step(_keep_ours(active, leases), leases)

    def _step(self, runs: Sequence[LaneRun], leases: Leases) -> list[LaneRun]:
        """Make at most one send of each lane, of messages of one priority. Returns the lanes that go on."""
        for run in runs:
            if self._deps.context.now() >= self._until or self._deps.should_yield():
                run.stopped = "deadline"
            elif run.gives_way():
                run.stopped = "yields"
        self._ask_budgets(_list_active(runs))
        if claimed := self._claim(_list_active(runs)):
            self._send(claimed, leases)
        return [run for run in _list_active(runs) if run not in self._late]

    def _ask_budgets(self, runs: Sequence[LaneRun]) -> None:
        asked = [(run, run.connection.budget) for run in runs]
        together = [(run, budget) for run, budget in asked if isinstance(budget, Budget)]
        costs = [(budget, run.cost) for run, budget in together]
        waits = dict(zip((run for run, _ in together), acquire_each(self._deps.context.redis, costs), strict=True))
        for run, budget in asked:
            wait = waits[run] if run in waits else budget.acquire(run.cost)
            if wait > 0:
                record_wait(run.id[0], wait)
                self._postpone(run, wait, run.attempts, BUDGET_REASON)

    def _claim(self, runs: Sequence[LaneRun]) -> list[LaneRun]:
        """Take the lanes that are not taken yet, and claim their next messages. Returns those that have some.

        A commit costs as much as all that it commits, so a lane is taken with its first claim.
        """
        most = MAX_SHARED_MESSAGES // max(1, len(runs))

        def work(conn: Connection, some: Sequence[LaneRun]) -> Claims:
            return claim_lanes(conn, [run.build_claim(max(1, most)) for run in some], self._deps.context.now())

        for some, claims in self._write(runs, work):
            for run in some:
                run.note_claimed(claims)
        return _list_active(runs)

    def _send(self, runs: Sequence[LaneRun], leases: Leases) -> None:
        """Make the sends, and settle what has been answered as it comes."""
        around = self._deps.around_call
        calls = [
            SendCall(partial(run.send, around), partial(self._late.add, run), partial(self._finish_late, run, leases))
            for run in runs
        ]
        with closing(self._deps.call_all(calls)) as ended:
            for positions in ended:
                self._settle([runs[position] for position in positions])

    def _settle(self, runs: Sequence[LaneRun]) -> None:
        """Write the outcomes and what follows from them for the lanes, in one transaction."""
        for run in runs:
            run.check_answer()
            self._postpone_if_failed(run)
        now = self._deps.context.now()
        sends = {run: run.build_settlement(now) for run in _list_active(runs)}

        def work(conn: Connection, some: Sequence[LaneRun]) -> Settled:
            settled = settle_lanes(conn, [sends[run] for run in some], now)
            for run in sorted(some, key=lambda one: one.id):
                stop = find_stop(run.get_reply())
                if isinstance(stop, ConnectionBroken) and run.id not in settled.lost:
                    pause_connection(conn, run.id[0], stop.reason, now)
            return settled

        for some, settled in self._write(list(sends), work):
            self._record([run for run in some if run.note_settled(sends[run], settled)])

    def _record(self, runs: Sequence[LaneRun]) -> None:
        """Count and log what was sent, and report it to the accounts' budgets."""
        for run in runs:
            with bound_contextvars(connection=run.id[0], lane=run.id[1]):
                record_send(run.id[0], run.messages, run.get_reply(), self._deps.context.now())
        record_latencies(self._deps.context.redis, {run.id: run.get_reply() for run in runs})
        for run in runs:
            run.update_budget(run.get_reply())

    def _finish_late(self, run: LaneRun, leases: Leases) -> None:
        """Settle a send that others did not wait for. What is left in its lane is for another task."""
        try:
            self._settle([run])
            leases.release([run.key])
            if run.stopped is None or self.find_late_arrivals([run]):
                run.stopped = "deadline"
        except Exception as error:  # noqa: BLE001 reported with the lane
            run.error = error
        finally:
            leases.release([run.key])
        self._deps.on_late(run.id, run.build_report())

    def _write(
        self, runs: Sequence[LaneRun], work: Callable[[Connection, Sequence[LaneRun]], Result]
    ) -> list[tuple[Sequence[LaneRun], Result]]:
        """Do the work for all of the lanes in one transaction; if one of them makes it fail, each in its own."""
        if not runs:
            return []
        try:
            with writing(self._deps.context.engine) as conn:
                return [(runs, work(conn, runs))]
        except Exception as error:
            if classify_database_error(error) is not None:
                raise
            if len(runs) == 1:
                runs[0].error = error
                return []
        return [done for run in runs for done in self._write([run], work)]

    def _postpone_if_failed(self, run: LaneRun) -> None:
        """Postpone the lane if its connection or its send raised: else the sweep would start it again every second.

        Database trouble is not the lane's fault, and could not be recorded anyway.
        """
        if run.error is not None and classify_database_error(run.error) is None:
            attempts = run.attempts + 1
            self._postpone(run, run.jitter(attempts), attempts, describe_error(run.error))

    def _postpone(self, run: LaneRun, seconds: float, attempts: int, reason: str) -> None:
        now = self._deps.context.now()
        at = now + to_us(seconds)
        try:
            with writing(self._deps.context.engine) as conn:
                held = run.held or acquire_lane(conn, *run.id, now, run.token)
                postpone_lane(conn, held, at, attempts, reason)
        except StaleFence:
            run.stopped = "lost"
        else:
            run.wait_until(at)


def _list_active(runs: Iterable[LaneRun]) -> list[LaneRun]:
    return [run for run in runs if run.stopped is None and run.error is None]


def _keep_ours(runs: Sequence[LaneRun], leases: Leases) -> list[LaneRun]:
    """Renew the leases of these lanes; a lane whose lease is lost stops."""
    ours = leases.renew() if runs else set()
    for run in runs:
        if run.key not in ours:
            run.stopped = "lost"
    return _list_active(runs)

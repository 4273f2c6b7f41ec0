"""Lanes that run together: what they share, and that none waits for another or suffers from another's failure."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import fakeredis
import pytest
from redis import Redis
from sqlalchemy import Engine, event, select, update

from pipeline.core.errors import Misconfigured
from pipeline.core.messages import ConnectionBroken, Message, Rejected, Reply, RetryAfter, Sent
from pipeline.delivery import lane
from pipeline.delivery.lane import run_lanes
from pipeline.delivery.open_connection import LaneDeps, LaneReport, OpenConnection, SendCall
from pipeline.infra import redis_keys
from pipeline.ledger.connections import ConnectionRow
from pipeline.ledger.deliveries import LaneId, Settlement, acquire_lane, settle_lanes
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from tests.contexts import make_context
from tests.pipeline.delivery.fake_destination import ScriptedBudget, ScriptedDestination, always
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_person, add_store

SECOND = 1_000_000
LANES = 3


@dataclass
class Group:
    """Some stores with a connection and a person each."""

    engine: Engine
    redis: Redis
    connections: list[ConnectionRow]
    people: list[int]
    destinations: dict[int, ScriptedDestination] = field(default_factory=dict)
    budgets: dict[int, ScriptedBudget] = field(default_factory=dict)
    late: list[tuple[LaneId, LaneReport | Exception]] = field(default_factory=list)
    call_all: Callable[[Sequence[SendCall]], Generator[list[int], None, None]] | None = None
    now: int = NOW

    @property
    def lanes(self) -> list[LaneId]:
        return [(connection.id, 0) for connection in self.connections]

    def of(self, place: int) -> ScriptedDestination:
        return self.destinations.setdefault(self.connections[place].id, ScriptedDestination())

    def open(self, connection: ConnectionRow) -> OpenConnection:
        destination = self.destinations.setdefault(connection.id, ScriptedDestination())
        return OpenConnection(destination, self.budgets.setdefault(connection.id, ScriptedBudget()), ScriptedBudget())

    def run(self) -> list[LaneReport | Exception | None]:
        """The reports, in the order of the connections; None: it ends later."""
        deps = LaneDeps(make_context(self.engine, self.redis, lambda: self.now), self.open)
        deps = replace(deps, on_late=lambda lane_id, report: self.late.append((lane_id, report)))
        deps = replace(deps, call_all=self.call_all) if self.call_all else deps
        reports = run_lanes(deps, self.lanes, until=self.now + 60 * SECOND)
        return [reports.get(lane_id) for lane_id in self.lanes]

    def add(self, place: int, count: int = 1, **more: Any) -> list[int]:
        with writing(self.engine) as conn:
            return add_deliveries(conn, self.connections[place], self.people[place], count, **more)

    def statuses(self) -> list[str]:
        with reading(self.engine) as conn:
            return list(conn.execute(select(core.Delivery.status).order_by(core.Delivery.id)).scalars())

    def take_from(self, place: int) -> None:
        """Another worker takes the lane in the ledger."""
        with writing(self.engine) as conn:
            acquire_lane(conn, self.connections[place].id, 0, self.now)


@pytest.fixture
def group(engine: Engine) -> Group:
    redis = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    with writing(engine) as conn:
        stores = [add_store(conn, f"store-{number}") for number in range(LANES)]
        people = [add_person(conn, store.id, "bea@example.com") for store in stores]
        return Group(engine, redis, [add_connection(conn, store.id) for store in stores], people)


@pytest.fixture
def full(group: Group) -> Group:
    """Each lane has a message."""
    for place in range(LANES):
        group.add(place)
    return group


@pytest.mark.on_both_databases
def test_all_lanes_are_emptied_in_order(group: Group):
    ids = [group.add(place, 6) for place in range(LANES)]

    assert group.run() == [LaneReport("empty", sent=6, calls=2)] * LANES
    assert [group.of(place).sent_ids for place in range(LANES)] == [[found[:4], found[4:]] for found in ids]


@pytest.mark.on_both_databases
def test_the_lanes_claim_in_one_transaction_and_settle_in_one(full: Group):
    begun: list[bool] = []
    event.listen(full.engine, "begin", lambda conn: begun.append("sqlite_readonly" in conn.get_execution_options()))

    full.run()

    assert begun.count(False) == 2


@pytest.mark.on_both_databases
def test_lanes_cost_no_more_statements_than_one(full: Group):
    statements: list[str] = []
    event.listen(full.engine, "before_cursor_execute", lambda _conn, _cursor, text, *_: statements.append(text))
    full.run()
    of_all = len(statements)
    full.add(0)
    full.run()

    assert of_all <= len(statements) - of_all + 2  # new lanes get rows; PostgreSQL locks several in the order of keys


@pytest.mark.on_both_databases
def test_each_lane_gets_the_outcome_of_its_own_send(full: Group):
    full.of(0).next.append(always(Rejected("refused")))
    full.of(1).next.append(always(RetryAfter(30.0, "answered 503"), 503))

    first, second, third = full.run()

    assert (first, third) == (LaneReport("empty", rejected=1, calls=1), LaneReport("empty", sent=1, calls=1))
    assert second == LaneReport("waiting", calls=1, next_attempt_at=NOW + 30 * SECOND)
    assert full.statuses() == ["dead", "pending", "sent"]


def test_a_broken_connection_is_paused_and_no_other(full: Group):
    full.of(1).next.append(always(ConnectionBroken("refused"), 401))

    full.run()

    with reading(full.engine) as conn:
        states = conn.execute(select(core.StoreConnection.status).order_by(core.StoreConnection.id)).scalars().all()
    assert (states, full.statuses()) == (["active", "paused", "active"], ["sent", "pending", "sent"])


@pytest.mark.on_both_databases
def test_a_lane_that_another_worker_takes_while_it_is_sent_loses_only_its_own_outcome(full: Group):
    def outrun(messages: Sequence[Message]) -> Reply:
        full.take_from(1)
        return always(Sent())(messages)

    full.of(1).next.append(outrun)

    assert [report.stopped for report in full.run() if isinstance(report, LaneReport)] == ["empty", "lost", "empty"]
    assert full.statuses() == ["sent", "pending", "sent"]


@pytest.mark.on_both_databases
def test_a_lane_that_another_worker_takes_before_it_is_claimed_is_left_to_it(full: Group):
    budget = full.budgets[full.connections[1].id] = ScriptedBudget()

    def acquire(cost: int = 1) -> float:
        full.take_from(1)
        return 0.0

    budget.acquire = acquire  # type: ignore[method-assign]

    assert [report.stopped for report in full.run() if isinstance(report, LaneReport)] == ["empty", "lost", "empty"]
    assert full.of(1).sends == []


def test_a_lane_that_is_held_is_left_alone(full: Group):
    full.redis.set(redis_keys.lane_lease(full.connections[1].id, 0), "another")

    assert full.run()[1] == LaneReport("held")
    assert full.statuses() == ["sent", "pending", "sent"]


def test_a_send_that_raises_postpones_its_lane_and_no_other(full: Group):
    def faulty(_: Sequence[Message]) -> Reply:
        raise ZeroDivisionError

    full.of(1).next.append(faulty)
    report = full.run()[1]

    assert isinstance(report, ZeroDivisionError)
    assert full.statuses() == ["sent", "pending", "sent"]
    with reading(full.engine) as conn:
        assert conn.execute(select(core.Lane.attempts).order_by(core.Lane.connection_id)).scalars().all() == [0, 1, 0]


def test_a_connection_that_cannot_be_opened_stops_no_other_lane(full: Group):
    opens, broken = full.open, full.connections[1].id

    def open_others(connection: ConnectionRow) -> OpenConnection:
        if connection.id == broken:
            raise Misconfigured("unreadable")
        return opens(connection)

    full.open = open_others  # type: ignore[method-assign]

    assert isinstance(full.run()[1], Misconfigured)
    assert full.statuses() == ["sent", "pending", "sent"]


def test_an_exhausted_budget_lets_only_its_lane_wait(full: Group):
    full.budgets[full.connections[1].id] = ScriptedBudget()
    full.budgets[full.connections[1].id].waits.append(2.5)

    assert full.run()[1] == LaneReport("waiting", next_attempt_at=NOW + round(2.5 * SECOND))
    assert full.statuses() == ["sent", "pending", "sent"]


def test_an_outcome_that_cannot_be_written_does_not_lose_the_others(full: Group, monkeypatch: pytest.MonkeyPatch):
    bad = full.connections[1].id

    def settle_good(conn: Any, settlements: Sequence[Settlement], now: int) -> Any:
        if any(one.held.connection_id == bad for one in settlements):
            raise ValueError("no database takes this")
        return settle_lanes(conn, settlements, now)

    monkeypatch.setattr(lane, "settle_lanes", settle_good)

    assert isinstance(full.run()[1], ValueError)
    assert full.statuses() == ["sent", "pending", "sent"]


def test_what_a_killed_worker_was_sending_is_sent_again_and_what_it_had_settled_is_not(full: Group):
    def killed_after_the_first(calls: Sequence[SendCall]) -> Generator[list[int], None, None]:
        for position, call in enumerate(calls):
            call.make()
            if position == 1:
                raise KeyboardInterrupt
            yield [position]

    full.call_all = killed_after_the_first
    with pytest.raises(KeyboardInterrupt):
        full.run()
    full.call_all = None
    full.run()

    assert [len(full.of(place).sends) for place in range(LANES)] == [1, 2, 1]
    assert full.statuses() == ["sent"] * LANES


def test_a_worker_killed_after_its_claim_leaves_everything_to_the_next(full: Group):
    def killed(_: Sequence[SendCall]) -> Generator[list[int], None, None]:
        raise KeyboardInterrupt
        yield []

    full.call_all = killed
    with pytest.raises(KeyboardInterrupt):
        full.run()
    full.call_all = None

    assert full.run() == [LaneReport("empty", sent=1, calls=1)] * LANES


def test_a_late_send_settles_by_itself_and_gives_its_lane_back(full: Group):
    made: list[SendCall] = []

    def others_first(calls: Sequence[SendCall]) -> Generator[list[int], None, None]:
        for position in (0, 2):
            calls[position].make()
        yield [0, 2]
        calls[1].note_late()
        made.append(calls[1])

    full.call_all = others_first
    reports, key = full.run(), redis_keys.lane_lease(full.connections[1].id, 0)
    before = (full.statuses(), bool(full.redis.exists(key)))
    made[0].make()
    made[0].finish_late()

    assert (reports[1], before) == (None, (["sent", "pending", "sent"], True))
    assert (full.statuses(), full.redis.exists(key)) == (["sent"] * LANES, 0)
    assert full.late == [((full.connections[1].id, 0), LaneReport("empty", sent=1, calls=1))]


def test_what_is_written_while_a_send_is_late_is_for_another_task(full: Group):
    made: list[SendCall] = []

    def late(calls: Sequence[SendCall]) -> Generator[list[int], None, None]:
        for position in (0, 2):
            calls[position].make()
        yield [0, 2]
        calls[1].note_late()
        made.append(calls[1])

    full.call_all = late
    full.run()
    full.add(1)
    made[0].make()
    made[0].finish_late()

    assert full.late == [((full.connections[1].id, 0), LaneReport("deadline", sent=1, calls=1))]


def test_the_messages_of_a_claim_are_shared_by_its_lanes(group: Group, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lane, "MAX_SHARED_MESSAGES", 2 * LANES)
    for place in range(LANES):
        group.add(place, 3)

    group.run()

    assert [len(ids) for ids in group.of(0).sent_ids] == [2, 1]


@pytest.mark.on_both_databases
def test_messages_about_withheld_people_are_stopped_in_their_lane_only(full: Group):
    with writing(full.engine) as conn:
        withheld = update(core.Person).where(core.Person.id == full.people[1])
        conn.execute(withheld.values(withheld="marketplace"))

    full.run()

    assert full.statuses() == ["sent", "withheld", "sent"]

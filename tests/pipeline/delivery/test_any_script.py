"""Whatever a platform does, and however its lane is disturbed: order kept, nothing lost, nothing sent twice."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import fakeredis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis
from sqlalchemy import Engine, event

from pipeline.core.messages import ConnectionBroken, Message, Outcome, Rejected, Reply, RetryAfter, Sent
from pipeline.ledger.deliveries import acquire_lane, resume_connection
from pipeline.ledger.engine import make_engine, writing
from tests.pipeline.delivery.fake_destination import Behaviour, reply
from tests.pipeline.delivery.lane_setup import LANE, LaneSetup
from tests.pipeline.ledger.rows import add_connection, add_deliveries, add_person, add_store

_OUTCOMES: dict[str, Outcome] = {
    "sent": Sent(),
    "rejected": Rejected("refused"),
    "retry": RetryAfter(None, "answered 503"),
    "asked to wait": RetryAfter(3.0, "answered 429"),
    "broken": ConnectionBroken("refused"),
}
_DISTURBANCES = ["none", "none", "none", "fault", "killed", "outrun", "emptied"]
_SENDS = st.tuples(st.lists(st.sampled_from(sorted(_OUTCOMES)), min_size=4, max_size=4), st.sampled_from(_DISTURBANCES))
_numbers = count()


@pytest.fixture(scope="module")
def quick_engine(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = tmp_path_factory.mktemp("lanes") / "ledger.db"
    shutil.copy(migrated_sqlite, path)
    engine = make_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def quick_redis() -> Redis:
    return fakeredis.FakeRedis(server=fakeredis.FakeServer())


class _History:
    """The attempts and what was recorded of them, in order."""

    def __init__(self) -> None:
        self.attempts: list[tuple[int, int]] = []  # (person, delivery)
        self.done: list[int] = []  # settled for good
        self.again: list[int] = []  # attempted although done
        self.overtaken: list[int] = []

    def note(self, messages: Sequence[Message], outcomes: Sequence[Outcome], *, settled: bool) -> None:
        for message, outcome in zip(messages, outcomes, strict=True):
            me, who = message.delivery_id, message.person.id
            self.again += [me] if me in self.done else []
            self.overtaken += [one for person, one in self.attempts if person == who and one > me and one in self.done]
            self.attempts.append((who, me))
            if settled and isinstance(outcome, Sent | Rejected):
                self.done.append(me)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(people=st.lists(st.integers(0, 2), min_size=1, max_size=12), script=st.lists(_SENDS, max_size=8))
def test_no_script_breaks_a_lane(
    quick_engine: Engine, quick_redis: Redis, people: list[int], script: list[tuple[list[str], str]]
):
    lane_setup = _build_setup(quick_engine, quick_redis)
    with writing(quick_engine) as conn:
        ids = [add_deliveries(conn, lane_setup.connection, lane_setup.people[person])[0] for person in people]
    history = _History()
    lane_setup.destination.next.extend(
        _behaviour(lane_setup, history, words, disturbance) for words, disturbance in script
    )
    lane_setup.destination.next.extend([_behaviour(lane_setup, history, ["sent"] * 4, "none")] * len(ids))

    for _ in range(len(script) * 2 + 2):
        _run_once(lane_setup)

    assert set(lane_setup.statuses()) <= {"sent", "dead"}
    assert Counter(history.done) == Counter(ids)
    assert history.again == []
    assert history.overtaken == []


def _build_setup(engine: Engine, redis: Redis) -> LaneSetup:
    number = next(_numbers)
    with writing(engine) as conn:
        store = add_store(conn, f"shop-{number}")
        people = [add_person(conn, store.id, f"person-{who}@example.com") for who in range(3)]
        return LaneSetup(engine, redis, add_connection(conn, store.id), people)


def _run_once(lane_setup: LaneSetup) -> None:
    try:
        lane_setup.now = lane_setup.run().next_attempt_at or lane_setup.now
    except (ZeroDivisionError, KeyboardInterrupt):
        lane_setup.now = max(lane_setup.now, lane_setup.lane_row().next_attempt_at)
    if lane_setup.connection_row().status == "paused":
        with writing(lane_setup.engine) as conn:
            resume_connection(conn, lane_setup.connection.id, lane_setup.now)


def _behaviour(lane_setup: LaneSetup, history: _History, words: Sequence[str], disturbance: str) -> Behaviour:
    def behave(messages: Sequence[Message]) -> Reply:
        outcomes = _as_the_port_demands([_OUTCOMES[word] for word in words[: len(messages)]])
        history.note(messages, outcomes, settled=disturbance in {"none", "emptied"})
        _disturb(lane_setup, disturbance)
        return reply(outcomes)

    return behave


def _disturb(lane_setup: LaneSetup, disturbance: str) -> None:
    if disturbance == "fault":
        raise ZeroDivisionError
    if disturbance == "killed":
        raise KeyboardInterrupt
    if disturbance == "emptied":
        lane_setup.redis.flushall()
    if disturbance == "outrun":
        with writing(lane_setup.engine) as conn:
            acquire_lane(conn, lane_setup.connection.id, LANE, lane_setup.now)


def _as_the_port_demands(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """After the first failure nothing more is sent: the rest gets the same outcome."""
    stops = (place for place, one in enumerate(outcomes) if isinstance(one, RetryAfter | ConnectionBroken))
    first = next(stops, len(outcomes))
    return [*outcomes[:first], *([outcomes[first]] * (len(outcomes) - first) if first < len(outcomes) else [])]

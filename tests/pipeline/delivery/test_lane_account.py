"""Two connections of one platform account: what the platform asks of one of them holds for both."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipeline.core.messages import RetryAfter
from pipeline.delivery.open_connection import OpenConnection
from pipeline.infra.rate_limit.budget import Budget
from pipeline.ledger.engine import writing
from tests.pipeline.delivery.fake_destination import always
from tests.pipeline.delivery.lane_setup import LaneSetup
from tests.pipeline.ledger.rows import add_connection, add_person, add_store

NAME = "cratewire:budget:test:account"


@dataclass
class OfTheAccount(LaneSetup):
    """A connection whose budget is the account's."""

    def _open(self, _connection_id: int) -> OpenConnection:
        return OpenConnection(self.destination, Budget(self.redis, NAME, 10), self.backfill_budget)


@pytest.fixture
def two(lane_setup: LaneSetup) -> list[LaneSetup]:
    with writing(lane_setup.engine) as conn:
        stores = [add_store(conn, name) for name in ("first", "second")]
        links = [(add_connection(conn, store.id), [add_person(conn, store.id, "a@example.com")]) for store in stores]
    setups: list[LaneSetup] = [
        OfTheAccount(lane_setup.engine, lane_setup.redis, link, people) for link, people in links
    ]
    for setup in setups:
        setup.add()
    return setups


@pytest.mark.parametrize("status", [429, 500, 503])
def test_no_connection_asks_inside_the_time_the_platform_named(two: list[LaneSetup], status: int):
    first, second = two
    first.destination.next.append(always(RetryAfter(30.0, f"answered {status}"), status))
    first.run()

    assert second.run().stopped == "waiting"
    assert second.destination.sends == []


def test_a_failure_that_names_no_time_stops_no_other_connection(two: list[LaneSetup]):
    first, second = two
    first.destination.next.append(always(RetryAfter(None, "answered 503"), 503))
    first.run()

    assert second.run().sent == 1

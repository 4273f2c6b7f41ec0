"""Pages of more stores than they have rows: what they hold, and how much of the ledger is read for them."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import ActivityFilter
from pipeline.ledger.queries.activity_filter import find_event_ids
from pipeline.ledger.queries.messages import MessageFilter, list_messages
from pipeline.ledger.queries.people_list import PeopleCursor, list_people
from pipeline.ledger.schema import core
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_event, add_person, add_store
from tests.pipeline.ledger.test_plans import watched

STORES = 5
TURNS = (0, 3, 3, 1, 3, 4, 0, 4, 3, 2, 1, 3)  # which store each event is of
MANY_STORES = 501  # SQLite joins at most 500 queries by UNION


@pytest.fixture
def stores(shop: StoreSetup) -> list[int]:
    with writing(shop.engine) as conn:
        return [add_store(conn, f"shop-{number}").id for number in range(2 * STORES)][STORES:]  # ids are no limits


@pytest.fixture
def events(shop: StoreSetup, stores: list[int]) -> list[int]:
    with writing(shop.engine) as conn:
        return [add_event(conn, stores[turn], number) for number, turn in enumerate(TURNS)]


def find(shop, stores, *, before=None, after=None, **wanted):
    with reading(shop.engine) as conn:
        return find_event_ids(conn, ActivityFilter(tuple(stores), **wanted), before=before, after=after, limit=2)


def test_pages_shorter_than_the_number_of_stores_follow_without_a_gap(shop, stores, events):
    pages, before = [], None
    while page := find(shop, stores, before=before):
        pages += page
        before = page[-1]

    assert pages == sorted(events, reverse=True)


def test_the_oldest_events_of_many_stores_above_one_are_found(shop, stores, events):
    assert find(shop, stores, after=events[2]) == events[3:5]


def test_a_page_is_read_only_of_as_many_stores_as_it_has_rows(shop, stores, events):
    with watched(shop.engine) as statements:
        find(shop, stores)

    pages = [parameters for text, parameters in statements if "FROM stores" in text]
    assert [len(set(_list_values(parameters)) & set(stores)) for parameters in pages] == [STORES, 2]


def _list_values(parameters):
    return parameters.values() if isinstance(parameters, dict) else parameters


def test_people_of_more_stores_than_sqlite_can_unite_are_listed(shop):
    with writing(shop.engine) as conn:
        row = {"account_id": 1, "currency": "USD", "created_at": NOW}
        names = [{**row, "name": f"many-{number}"} for number in range(MANY_STORES)]
        store_ids = list(conn.execute(insert(core.Store).returning(core.Store.id), names).scalars())
        changed = zip(store_ids[:4], (5, 9, 9, 7), strict=True)
        people = [add_person(conn, store_id, known_at=NOW + at) for store_id, at in changed]
    with reading(shop.engine) as conn:
        first = [person.id for person in list_people(conn, store_ids, limit=2)]
        second = list_people(conn, store_ids, after=PeopleCursor(NOW + 9, first[-1]), limit=2)

    assert first + [person.id for person in second] == [people[2], people[1], people[3], people[0]]


def test_waiting_messages_of_all_lanes_are_listed_newest_first(shop):
    with writing(shop.engine) as conn:
        links = [shop.link, add_connection(conn, shop.store.id, label="b", lanes=2)]
        kinds = zip((0, 1, 1, 0, 1, 1), (0, 1, 0, 0, 1, 0), (0, 0, 1, 1, 0, 0), strict=True)
        made = [
            add_deliveries(conn, links[link], shop.person_id, 1, lane=lane, priority=priority)[0]
            for link, lane, priority in kinds
        ]
        add_deliveries(conn, shop.link, shop.person_id, 2, status="sent", done_at=NOW)
    wanted = MessageFilter((shop.store.id,))
    with reading(shop.engine) as conn:
        first = [message.id for message in list_messages(conn, wanted, limit=4)]
        second = [message.id for message in list_messages(conn, wanted, before=first[-1], limit=4)]

    assert first + second == made[::-1]


INDEXES = {
    "kept": "ix_deliveries_stopped_events",
    "withheld": "ix_deliveries_stopped_events",
    "refused": "ix_deliveries_dead_events",
    "waiting": "ix_deliveries_waiting_events",
}


@pytest.mark.parametrize("show", INDEXES)
def test_messages_of_a_store_are_found_by_the_index_of_their_state_on_sqlite(shop, stores, show):
    """PostgreSQL infers it from the state, and plans by the tables' sizes, so small tables prove nothing there."""
    assert INDEXES[show] in explain(shop, stores, show=show)


def test_events_recorded_late_are_found_by_their_own_index_on_sqlite(shop, stores):
    assert "events_2 USING INDEX ix_events_late (store_id=? AND received_at>? AND received_at<?)" in explain(
        shop, stores, show="sent", since=NOW, until=NOW + 1
    )


def explain(shop, stores, **wanted):
    """The plans of all statements of a page, on SQLite."""
    if shop.engine.dialect.name != "sqlite":
        pytest.skip("one database's planner")
    with watched(shop.engine) as statements:
        find(shop, stores[:1], **wanted)
    with reading(shop.engine) as conn:
        plans = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all() for text, values in list(statements)]
    return "\n".join(row[3] for plan in plans for row in plan)

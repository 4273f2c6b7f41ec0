"""The activity feed: sentences, what became of each event, and pages of it."""

from __future__ import annotations

from itertools import count

import pytest
from sqlalchemy import insert

from pipeline.events.money import format_money
from pipeline.events.sentences import join_parts
from pipeline.ledger.deliveries import acquire_lane
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import ActivityFilter, list_activity, load_change_tokens
from pipeline.ledger.queries.activity_filter import find_id_recorded_by
from pipeline.ledger.schema import core
from tests.builders import gift_order, order
from tests.pipeline.ledger.conftest import StoreSetup
from tests.pipeline.ledger.rows import NOW, add_deliveries, add_event, add_person, add_store

TIMES = ("received_at", "recorded_at")
SECOND = 1_000_000


def listed(shop: StoreSetup, *, before=None, after=None, limit=50, stores=None, **wanted):
    with reading(shop.engine) as conn:
        feed_filter = ActivityFilter(stores or (shop.store.id,), **wanted)
        return list_activity(conn, feed_filter, format_money, before=before, after=after, limit=limit)


def ids(rows):
    return [row.id for row in rows]


def concern(conn, event_id, person_id, role="customer"):
    conn.execute(insert(core.EventPerson).values(event_id=event_id, person_id=person_id, role=role, reason=None))


@pytest.fixture
def five(shop: StoreSetup) -> list[int]:
    with writing(shop.engine) as conn:
        return [
            add_event(conn, shop.store.id, number, **dict.fromkeys(TIMES, NOW + number * SECOND), data=order(id=number))
            for number in range(5)
        ]


def test_the_newest_event_comes_first_and_pages_follow_without_a_gap(shop, five):
    first = listed(shop, limit=2)
    second = listed(shop, before=first[-1].id, limit=2)

    assert ids(first) + ids(second) == five[:0:-1]


def test_what_arrived_after_an_event_is_listed_alone(shop, five):
    assert ids(listed(shop, after=five[2])) == [five[4], five[3]]


def test_of_what_arrived_after_an_event_the_oldest_come_first(shop, five):
    assert ids(listed(shop, after=five[0], limit=2)) == [five[2], five[1]]


def test_several_stores_are_merged_by_time(shop, five):
    with writing(shop.engine) as conn:
        other = add_store(conn, "moon-box")
        mine = [add_event(conn, other.id, 90), add_event(conn, shop.store.id, 91), add_event(conn, other.id, 92)]

    assert ids(listed(shop, stores=(shop.store.id, other.id), limit=4)) == [*mine[::-1], five[-1]]


def test_an_event_of_a_store_that_is_not_asked_for_is_absent(shop, five):
    with writing(shop.engine) as conn:
        add_event(conn, add_store(conn, "moon-box").id, 90)

    assert ids(listed(shop)) == five[::-1]


def test_no_store_has_no_events(shop, five):
    with reading(shop.engine) as conn:
        assert list_activity(conn, ActivityFilter(()), format_money) == []


def test_a_sentence_names_giver_and_recipient(shop):
    with writing(shop.engine) as conn:
        event_id = add_event(conn, shop.store.id, 1, data=gift_order())
        names = {"first_name": "Mila", "last_name": "Šimůnek"}
        concern(conn, event_id, add_person(conn, shop.store.id, "mila@example.com", attributes=names))
        concern(conn, event_id, add_person(conn, shop.store.id, "rory@example.com"), "gift_recipient")

    [row] = listed(shop)
    assert join_parts(row.sentence) == "Mila Šimůnek placed order 7015 as a gift for rory@example.com, USD 34.95"


def test_a_gift_without_an_address_is_a_gift_all_the_same(shop):
    with writing(shop.engine) as conn:
        add_event(conn, shop.store.id, 1, data=gift_order(), notes=[{"code": "recipient_email_missing"}])

    [row] = listed(shop)
    assert "as a gift, without a usable address" in join_parts(row.sentence)


def test_an_amount_is_in_the_stores_currency(shop):
    with writing(shop.engine) as conn:
        store = add_store(conn, "moon-box", currency="JPY")
        add_event(conn, store.id, 1, data=order(total=4800))

    [row] = listed(shop, stores=(store.id,))
    assert join_parts(row.sentence).endswith("JPY 4,800")


@pytest.mark.parametrize(
    ("rows", "state", "since", "reason"),
    [
        ([{"status": "sent", "done_at": NOW + 5}, {"status": "sent", "done_at": NOW + 9}], "sent", NOW + 9, None),
        ([{"status": "sent", "done_at": NOW + 5}, {"created_at": NOW + 2}], "waiting", NOW + 2, None),
        (
            [{"status": "dead", "done_at": NOW + 5, "reason": "too_large"}, {"created_at": NOW + 2}],
            *("refused", NOW + 5, "too_large"),
        ),
    ],
    ids=["all sent", "one waits", "one refused"],
)
def test_the_worst_of_its_messages_is_the_state_of_an_event(shop, rows, state, since, reason):
    with writing(shop.engine) as conn:
        event_id = add_event(conn, shop.store.id)
        for row in rows:
            add_deliveries(conn, shop.link, shop.person_id, event_id=event_id, **row)

    [row] = listed(shop)
    assert [(found.state, found.since, found.reason) for found in row.platforms] == [(state, since, reason)]


@pytest.mark.parametrize(
    ("show", "special"),
    [("recovered", {"source": "reconcile"}), ("tests", {"is_test": True})],
)
def test_a_view_shows_its_kind_only(shop, five, show, special):
    with writing(shop.engine) as conn:
        event_id = add_event(conn, shop.store.id, 99, **special)

    assert ids(listed(shop, show=show)) == [event_id]


@pytest.mark.parametrize(
    ("show", "status"), [("waiting", {"status": "pending"}), ("refused", {"status": "dead", "done_at": NOW})]
)
def test_events_that_wait_or_were_refused_can_be_shown_alone(shop, five, show, status):
    with writing(shop.engine) as conn:
        add_deliveries(conn, shop.link, shop.person_id, event_id=five[1], **status)
        add_deliveries(conn, shop.link, shop.person_id, event_id=five[2], status="sent", done_at=NOW)

    assert ids(listed(shop, show=show)) == [five[1]]


STATES = {
    "kept": [{"outcome": "nobody"}],
    "withheld": [{"outcome": "withheld"}, ["withheld"], ["stopped", "withheld"]],
    "waiting": [["pending"], ["sent", "sending"], ["pending", "stopped"]],
    "sent": [["sent"], ["sent", "sent"], ["sent", "withheld"]],
    "refused": [["dead"], ["dead", "pending"], ["sent", "dead"]],
}


def test_each_event_is_in_one_state_which_is_the_worst_of_its_messages(shop):
    expected: dict[str, list[int]] = {state: [] for state in STATES}
    numbers = count(100)
    with writing(shop.engine) as conn:
        for state, events in STATES.items():
            for made in events:
                more = made if isinstance(made, dict) else {}
                expected[state].insert(0, add_event(conn, shop.store.id, next(numbers), **more))
                for status in made if isinstance(made, list) else ():
                    done_at = None if status in ("pending", "sending") else NOW
                    values = {"status": status, "done_at": done_at, "event_id": expected[state][0]}
                    add_deliveries(conn, shop.link, shop.person_id, **values)

    assert {state: ids(listed(shop, show=state)) for state in STATES} == expected


def test_a_state_goes_with_every_other_filter(shop, five):
    with writing(shop.engine) as conn:
        for event_id in five:
            add_deliveries(conn, shop.link, shop.person_id, event_id=event_id)
        concern(conn, five[2], shop.person_id)

    assert ids(listed(shop, show="waiting", person_id=shop.person_id)) == [five[2]]
    assert ids(listed(shop, show="waiting", before=five[3], since=NOW + SECOND)) == [five[2], five[1]]
    assert ids(listed(shop, show="waiting", after=five[1], limit=1)) == [five[2]]
    assert ids(listed(shop, show="waiting", name="customer_new")) == []


def test_an_event_is_found_by_its_source_and_by_each_thing_that_it_is_about(shop, five):
    with writing(shop.engine) as conn:
        about = {"event_id": five[1], "kind": "subscription", "subject_id": 8, "store_id": shop.store.id}
        conn.execute(insert(core.EventSubject).values(about))
        recovered = add_event(conn, shop.store.id, 99, source="reconcile", outcome="recorded", duplicates=2)

    assert ids(listed(shop, subject=("subscription", 8))) == [five[1]]
    assert ids(listed(shop, source="reconcile")) == [recovered]
    assert ids(listed(shop, source="reconcile", show="kept")) == [recovered]
    assert ids(listed(shop, show="repeats")) == [recovered]


def test_the_events_of_a_person_can_be_shown_alone(shop, five):
    with writing(shop.engine) as conn:
        concern(conn, five[3], shop.person_id)

    assert ids(listed(shop, person_id=shop.person_id)) == [five[3]]


def test_a_span_of_time_includes_both_ends(shop, five):
    assert ids(listed(shop, since=NOW + SECOND, until=NOW + 3 * SECOND)) == five[3:0:-1]


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_the_last_event_of_a_moment_is_found_though_ids_have_gaps(shop, five, missing):
    with writing(shop.engine) as conn:
        conn.execute(core.Body.__table__.delete())
        conn.execute(core.Event.__table__.delete().where(core.Event.id == five[missing]))

    with reading(shop.engine) as conn:
        found = [find_id_recorded_by(conn, NOW + number * SECOND) for number in range(-1, 6)]

    kept = [event_id for event_id in five if event_id != five[missing]]
    expected = [max((event_id for event_id in kept if event_id <= upper), default=0) for upper in (0, *five, five[-1])]
    assert [max((event_id for event_id in kept if event_id <= number), default=0) for number in found] == expected


def test_the_token_of_a_store_changes_with_an_event_and_with_an_attempt_to_send(shop):
    def token():
        with reading(shop.engine) as conn:
            return load_change_tokens(conn, [shop.store.id])[shop.store.id]

    seen = [token(), token()]
    with writing(shop.engine) as conn:
        add_event(conn, shop.store.id)
    seen.append(token())
    with writing(shop.engine) as conn:
        acquire_lane(conn, shop.link.id, 0, NOW + 1)
    seen.append(token())

    assert seen[0] == seen[1]
    assert len(set(seen)) == 3

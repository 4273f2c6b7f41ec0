"""What a replay would send is counted before anything is sent."""

from __future__ import annotations

import pytest

from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE
from pipeline.ledger.engine import writing
from pipeline.ledger.replays import ReplayCounts, Selection, discard_replay, insert_replay, start_replay
from pipeline.ledger.schema import core
from pipeline.operations.replays import count
from tests.builders import HOUR, NOW, order

EVERYTHING = Selection("filter")


def test_refused_messages_are_counted_with_the_people_they_are_about(replays_on_both):
    replays_on_both.sell(1, 2, 1)
    replays_on_both.send(refuses=True)

    counts = replays_on_both.count().counts

    assert (counts.messages, counts.people, counts.repeats) == (6, 2, 0)  # each order with a profile


def test_counting_sends_nothing(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.count()

    assert set(replays.statuses()) == {"dead"}


def test_what_has_arrived_is_not_sent_again(replays):
    replays.sell(1)
    replays.send()

    counts = replays.count(EVERYTHING).counts

    assert (counts.messages, counts.arrived) == (0, 2)


def test_delivered_again_events_are_repeats_for_the_platform_and_profiles_are_not(replays):
    replays.sell(1)
    replays.send()

    counts = replays.count(EVERYTHING, again=True).counts

    assert (counts.messages, counts.repeats, counts.arrived) == (2, 1, 0)


def test_what_waits_leaves_by_itself(replays):
    replays.sell(1)

    assert replays.count(EVERYTHING, again=True).counts == ReplayCounts(events=1, waiting=2)


@pytest.mark.parametrize(("age", "too_old"), [(71 * HOUR, 0), (73 * HOUR, 1)])
def test_an_event_of_more_than_72_hours_ago_starts_no_campaign(replays, age, too_old):
    replays.sell(1)
    happened = replays.messages()[-1].message["at"] * 1_000_000
    replays.send(refuses=True)

    assert replays.count(now=happened + age).counts.too_old == too_old


def test_messages_about_people_who_are_withheld_are_not_sent(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.change(core.Person, withheld="withheld_marketplace")

    assert replays.count().counts == ReplayCounts(withheld=2)


def test_copies_that_were_withheld_are_counted(replays):
    replays.sell(1)
    replays.send()
    replays.change(core.EventPerson, reason="withheld_origin_unknown")

    assert replays.count(EVERYTHING).counts.withheld == 1


def test_messages_whose_content_is_no_longer_kept_are_not_sent(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.change(core.Delivery, message=EMPTY_MESSAGE, packed=None)

    assert replays.count().counts == ReplayCounts(gone=2)


def test_requests_to_forget_a_person_are_never_replayed(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replays.change(core.Delivery, kind="forget")

    assert replays.count().counts == ReplayCounts()


def test_events_of_another_store_are_not_looked_at(replays):
    replays.shop.recorder.add_store(2, "other")
    replays.sell(1)
    replays.send(refuses=True)
    replays.change(core.Event, store_id=2)

    assert replays.count(Selection("events", event_ids=(1,))).counts == ReplayCounts()


def test_only_chosen_events_are_looked_at(replays):
    replays.sell(1, 2, 3)
    replays.send(refuses=True)

    counts = replays.count(Selection("events", event_ids=(1, 3))).counts

    assert (counts.events, counts.messages, counts.people) == (2, 4, 2)


def test_a_filter_of_the_feed_finds_its_events(replays):
    replays.sell(1, 2)
    replays.send(refuses=True)
    theirs = replays.messages()[-1].person_id

    counts = replays.count(Selection("filter", show="refused", person_id=theirs, since=NOW - HOUR)).counts

    assert (counts.events, counts.messages) == (1, 2)


@pytest.mark.parametrize(
    ("since", "until", "numbers"),
    [(0, None, [1, 2, 3]), (1, None, [2, 3]), (None, 1, [1, 2]), (1, 1, [2]), (None, -1, []), (3, None, [])],
)
def test_a_range_of_hours_includes_both_its_ends(replays, since, until, numbers):
    for number in range(1, 4):
        at = NOW + (number - 1) * HOUR
        replays.shop.record(replays.shop.hook("order_new", order(id=number, customer_id=number), at=at), at=at)
    replays.send(refuses=True)
    ends = [None if hours is None else NOW + hours * HOUR for hours in (since, until)]

    replay_id = replays.count(Selection("filter", since=ends[0], until=ends[1]), now=NOW + 9 * HOUR).id

    assert replays.list_numbers(replay_id) == numbers


def test_what_came_after_it_was_asked_for_is_not_looked_at(replays):
    replays.sell(1)
    replays.send(refuses=True)

    assert replays.count(EVERYTHING, now=NOW - HOUR).counts == ReplayCounts()


def test_a_large_selection_is_counted_in_slices(replays, monkeypatch):
    monkeypatch.setattr(count, "EVENTS_SLICE", 2)
    monkeypatch.setattr(count, "ROWS_SLICE", 3)
    replays.sell(*range(1, 6))
    replays.send(refuses=True)

    assert (replays.count(EVERYTHING).counts.messages, replays.count().counts.messages) == (10, 10)


def test_a_request_counts_no_longer_than_it_may(replays, monkeypatch):
    monkeypatch.setattr(count, "EVENTS_SLICE", 1)
    replays.sell(1, 2, 3)
    replays.send(refuses=True)
    row = replays.count(EVERYTHING)
    with writing(replays.shop.engine) as conn:
        replay_id = insert_replay(conn, 1, EVERYTHING, delivers_again=False, user_id=None, now=NOW)

    assert not count.count_replay(replays.shop.engine, replay_id, lambda: NOW, until=NOW)
    assert replays.find(replay_id).state == "counting"
    assert replays.turn(replay_id).state == row.state == "counted"


def test_a_discarded_replay_does_not_begin(replays):
    replays.sell(1)
    replays.send(refuses=True)
    replay_id = replays.count().id
    with writing(replays.shop.engine) as conn:
        assert discard_replay(conn, replay_id, NOW)
        assert not start_replay(conn, replay_id, NOW)

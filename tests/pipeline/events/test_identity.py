"""What makes two hooks the same event, and the ids that follow from it."""

from __future__ import annotations

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.events.identity import DEDUP_WINDOW_US, build_message_id, identify_event
from pipeline.events.ulid import make_ulid
from tests.builders import HOUR, NOW, order, subscription

DAY = 24 * HOUR


def identify(name, data, at=NOW, fingerprint="f" * 64):
    return identify_event(EVENTS[name], data, fingerprint, at)


def test_the_same_order_is_one_event_whatever_else_its_body_says():
    assert (
        identify("order_new", order()).key
        == identify("order_new", order(note="x"), NOW + DEDUP_WINDOW_US * 9, "0" * 64).key
    )


def test_each_renewal_of_a_subscription_is_an_event_of_its_own():
    april = identify("subscription_renewed", subscription(end_date="2026-04-15T00:00:00Z"))
    may = identify("subscription_renewed", subscription(end_date="2026-05-15T00:00:00Z"))
    assert april.key != may.key


def test_a_renewal_with_milliseconds_is_the_renewal_that_the_api_shows_in_seconds():
    hook = identify("subscription_renewed", subscription(end_date="2026-04-15T00:00:00.123Z"))
    shown = identify("subscription_renewed", subscription(end_date="2026-04-15T00:00:00Z"))
    assert hook.key == shown.key


def test_an_update_is_known_by_its_body_within_a_day():
    first = identify("order_updated", order(), NOW)
    again = identify("order_updated", order(), NOW + 23 * HOUR)
    assert first.key in again.candidate_keys()
    assert again.is_same_event(NOW)


def test_the_same_update_a_day_later_is_new():
    assert not identify("order_updated", order(), NOW + DEDUP_WINDOW_US).is_same_event(NOW)


def test_a_late_hook_finds_the_same_update_recorded_before_it():
    later = identify("order_updated", order(), NOW + 20 * HOUR)
    assert later.key in identify("order_updated", order(), NOW).candidate_keys()


def test_the_key_of_an_update_names_the_day_of_its_arrival():
    assert identify("order_updated", order(), 5 * DAY - 1).key == f"order_updated#{'f' * 32}@4"
    assert identify("order_updated", order(), 5 * DAY).key == f"order_updated#{'f' * 32}@5"


def test_an_update_may_be_known_from_the_day_before_and_the_day_after():
    days = [key.partition("@")[2] for key in identify("order_updated", order(), 5 * DAY).candidate_keys()]
    assert days == ["4", "5", "6"]


@pytest.mark.parametrize(("distance", "is_same"), [(0, True), (DAY - 1, True), (DAY, False), (DAY + 1, False)])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_repeated_update_is_the_same_event_for_less_than_24_hours(distance, is_same, direction):
    assert identify("order_updated", order(), NOW).is_same_event(NOW + direction * distance) is is_same


def test_an_event_with_a_natural_key_has_one_key_and_is_the_same_for_ever():
    placed = identify("order_new", order(id=7015))
    assert (placed.key, placed.candidate_keys()) == ("order_new:7015", ("order_new:7015",))
    assert placed.is_same_event(NOW + 1000 * DAY)


def test_another_body_is_another_update():
    assert identify("order_updated", order(), fingerprint="a" * 64).key != identify("order_updated", order()).key


def test_a_failed_renewal_tried_again_the_next_day_is_another_failure():
    first = identify("subscription_renew_failed", subscription())
    assert not identify("subscription_renew_failed", subscription(), NOW + DEDUP_WINDOW_US + 1).is_same_event(
        first.received_at
    )


def test_a_body_without_its_natural_key_falls_back_to_its_fingerprint():
    assert identify("order_new", order(id=None)).key.startswith("order_new#ffff")


def test_an_event_happened_when_its_body_says():
    assert identify("order_new", order(placed_at="2026-03-02T17:04:31Z")).occurred_at == 1_772_471_071_000_000


def test_a_body_from_the_future_is_dated_by_its_arrival():
    assert identify("order_new", order(placed_at="2036-03-02T17:04:31Z")).occurred_at == NOW


@pytest.mark.parametrize(
    ("placed_at", "occurred_at"),
    [("2026-03-03T16:46:40Z", NOW + DAY), ("2026-03-03T16:46:41Z", NOW)],
    ids=["24 hours ahead", "a second more"],
)
def test_a_time_up_to_24_hours_ahead_is_believed(placed_at, occurred_at):
    assert identify("order_new", order(placed_at=placed_at)).occurred_at == occurred_at


def test_without_a_time_in_the_body_an_event_is_dated_by_its_arrival():
    assert identify("order_new", order(placed_at=None)).occurred_at == NOW


@pytest.mark.parametrize(
    ("name", "data", "ms"),
    [
        ("order_new", order(placed_at="2026-03-02T17:04:31Z"), 1_772_471_071_000),
        ("order_new", order(id=None, placed_at="1970-01-01T00:00:00Z"), 0),
        ("order_new", order(placed_at="1969-12-31T23:59:59Z"), 0),
        ("order_new", order(placed_at=None), 0),
        ("order_updated", order(), 1_772_409_600_000),
    ],
    ids=["the body's", "the epoch", "before the epoch", "none", "the first moment of the window"],
)
def test_the_time_of_a_message_id_never_depends_on_the_clock(name, data, ms):
    assert identify(name, data).ulid_time_ms == ms


def test_a_message_id_is_made_of_the_store_the_key_and_the_role():
    placed = identify("order_new", order())
    ms = placed.ulid_time_ms
    assert build_message_id("acme", placed, "a key", "customer") == make_ulid(ms, "acme|a key|customer")


def test_the_message_id_of_a_recipients_copy_names_the_recipient():
    placed = identify("order_new", order())
    expected = make_ulid(placed.ulid_time_ms, "acme|a key|gift_recipient:r@example.com")
    assert build_message_id("acme", placed, "a key", "gift_recipient", "r@example.com") == expected


def test_message_ids_depend_on_the_event_and_on_the_person():
    first, retry = identify("order_new", order()), identify("order_new", order(), NOW + HOUR)
    customers = build_message_id("acme", first, first.key, "customer")
    assert customers == build_message_id("acme", retry, retry.key, "customer")
    assert customers != build_message_id("acme", first, first.key, "gift_recipient", "r@example.com")
    assert customers != build_message_id("other", first, first.key, "customer")

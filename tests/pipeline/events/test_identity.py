from pipeline.events.catalogue import EVENTS
from pipeline.events.identity import DEDUP_WINDOW_US, build_message_id, identify_event
from tests.builders import HOUR, NOW, order, subscription


def told(name, data, at=NOW, fingerprint="f" * 64):
    return identify_event(EVENTS[name], data, fingerprint, at)


def test_the_same_order_is_one_happening_whatever_else_its_body_says():
    assert told("order_new", order()).key == told("order_new", order(note="x"), NOW + DEDUP_WINDOW_US * 9, "0" * 64).key


def test_each_renewal_of_a_subscription_is_a_happening_of_its_own():
    april = told("subscription_renewed", subscription(end_date="2026-04-15T00:00:00Z"))
    may = told("subscription_renewed", subscription(end_date="2026-05-15T00:00:00Z"))
    assert april.key != may.key


def test_a_renewal_told_in_milliseconds_is_the_one_the_api_shows_in_seconds():
    hook = told("subscription_renewed", subscription(end_date="2026-04-15T00:00:00.123Z"))
    shown = told("subscription_renewed", subscription(end_date="2026-04-15T00:00:00Z"))
    assert hook.key == shown.key


def test_an_update_is_known_by_its_body_within_a_day():
    first = told("order_updated", order(), NOW)
    again = told("order_updated", order(), NOW + 23 * HOUR)
    assert first.key in again.candidate_keys()
    assert again.is_same_event(NOW)


def test_the_same_update_a_day_later_is_new():
    assert not told("order_updated", order(), NOW + DEDUP_WINDOW_US).is_same_event(NOW)


def test_a_late_hook_finds_the_same_update_told_after_it():
    later = told("order_updated", order(), NOW + 20 * HOUR)
    assert later.key in told("order_updated", order(), NOW).candidate_keys()


def test_another_body_is_another_update():
    assert told("order_updated", order(), fingerprint="a" * 64).key != told("order_updated", order()).key


def test_a_failed_renewal_tried_again_the_next_day_is_another_failure():
    first = told("subscription_renew_failed", subscription())
    assert not told("subscription_renew_failed", subscription(), NOW + DEDUP_WINDOW_US + 1).is_same_event(
        first.received_at
    )


def test_a_body_without_its_natural_key_falls_back_to_its_fingerprint():
    assert told("order_new", order(id=None)).key.startswith("order_new#ffff")


def test_the_time_is_the_one_the_body_tells():
    assert told("order_new", order(placed_at="2026-03-02T17:04:31Z")).occurred_at == 1_772_471_071_000_000


def test_a_body_from_the_future_is_dated_by_its_arrival():
    assert told("order_new", order(placed_at="2036-03-02T17:04:31Z")).occurred_at == NOW


def test_message_ids_depend_on_what_happened_and_on_whom_it_is_told_to():
    one, retry = told("order_new", order()), told("order_new", order(), NOW + HOUR)
    customers = build_message_id("acme", one, one.key, "customer")
    assert customers == build_message_id("acme", retry, retry.key, "customer")
    assert customers != build_message_id("acme", one, one.key, "gift_recipient", "r@example.com")
    assert customers != build_message_id("other", one, one.key, "customer")


def test_every_event_of_cratejoy_has_a_row_and_fourteen_are_forwarded():
    kept = {"design_updated", "inventory_updated", "shipment_address_updated"}
    assert len(EVENTS) == 17
    assert {name for name, row in EVENTS.items() if not row.forwarded} == kept


def test_every_row_that_is_not_windowed_has_a_natural_key():
    assert all(row.identity for row in EVENTS.values() if not row.is_windowed)


def test_every_row_says_in_one_sentence_what_it_is():
    assert all(row.description.count(".") == 1 and row.description.endswith(".") for row in EVENTS.values())

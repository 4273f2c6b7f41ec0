"""Each attribute of a person, from the facts that it is computed from."""

from __future__ import annotations

import pytest

from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import ConsentRules
from tests.builders import NOW, RECIPIENT


def attributes(*facts):
    """The attributes of a person of whom these facts are known: pairs of kind and fields."""
    known = {
        (kind, "" if kind in ("customer", "payment") else str(at)): fields for at, (kind, fields) in enumerate(facts)
    }
    stamped = {key: {name: [NOW, value] for name, value in fields.items()} for key, fields in known.items()}
    return build_attributes(stamped, "acme", "USD", ConsentRules("forward"))


def chosen(found, *names):
    return tuple(found.get(name) for name in names)


def test_of_a_person_of_whom_nothing_is_known_only_the_store_is_said():
    assert attributes() == {"store": "acme", "source": "cratejoy", "is_test": False}


def test_what_is_known_of_a_customer_is_said_under_its_own_name():
    fields = {
        "email": "a@example.com",
        "first_name": "Ann",
        "last_name": "Lee",
        "phone": "555",
        "country": "US",
        "region": "TX",
        "city": "Austin",
    }

    assert attributes(("customer", fields)) == fields | {"store": "acme", "source": "cratejoy", "is_test": False}


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Rory", "Rory", None),
        ("Rory Receiver", "Rory", "Receiver"),
        ("Rory  van Dyke", "Rory", "van Dyke"),
        ("Rory van Dyke ", "Rory", "van Dyke"),
    ],
)
def test_a_recipients_name_is_split_at_its_first_space(name, first, last):
    assert chosen(attributes(("gift_received", {"name": name})), "first_name", "last_name") == (first, last)


@pytest.mark.parametrize(
    ("customer_fields", "names"),
    [({"first_name": "Ann"}, ("Ann", None)), ({"last_name": "Lee"}, (None, "Lee")), ({"first_name": ""}, ("Zoe", "Z"))],
)
def test_the_givers_name_for_a_recipient_counts_only_without_one_of_their_own(customer_fields, names):
    found = attributes(("customer", customer_fields), ("gift_received", {"name": "Zoe Z"}))

    assert chosen(found, "first_name", "last_name") == names


def test_of_several_names_for_a_recipient_the_one_that_sorts_last_counts():
    found = attributes(
        ("gift_received", {"name": "Zoe Z"}), ("gift_received", {"name": "Ann A"}), ("gift_received", {})
    )

    assert chosen(found, "first_name", "last_name") == ("Zoe", "Z")


def test_of_several_givers_the_one_that_sorts_last_counts():
    found = attributes(*(("gift_received", {"giver_first_name": name}) for name in ("Mia", "Zoe", "Ann", "")))

    assert chosen(found, "gift_recipient", "gift_sender_first_name") == (True, "Zoe")


def test_a_recipient_with_a_name_from_the_giver_keeps_their_own_address():
    found = attributes(("customer", {"email": RECIPIENT}), ("gift_received", {"name": "Zoe Z"}))

    assert chosen(found, "email", "first_name") == (RECIPIENT, "Zoe")


def test_without_a_subscription_the_stores_own_state_counts():
    found = attributes(("customer", {"store_subscription_status": "active"}))

    assert chosen(found, "subscription_status", "subscription_count") == ("active", None)


@pytest.mark.parametrize(
    ("statuses", "best"),
    [
        (["active", "past_due"], "active"),
        (["renewing", "unpaid"], "active"),
        (["pending_renewal", "expired"], "active"),
        (["past_due", "paused"], "past_due"),
        (["unpaid", "suspended"], "past_due"),
        (["unpaid_order_failed", "cancelled"], "past_due"),
        (["suspended", "cancelled"], "paused"),
        (["paused", "expired"], "paused"),
        (["expired", "cancelled"], "cancelled"),
        (["expired", "gifted"], "expired"),
        (["gifted"], "none"),
        ([None], "none"),
    ],
)
def test_a_person_is_in_the_best_state_of_their_subscriptions(statuses, best):
    found = attributes(*(("subscription", {"status": status}) for status in statuses))

    assert found["subscription_status"] == best


@pytest.mark.parametrize(("counter", "count"), [(None, 2), (1, 2), (2, 2), (3, 3)])
def test_the_larger_count_of_subscriptions_counts(counter, count):
    found = attributes(("customer", {"num_subscriptions": counter}), ("subscription", {}), ("subscription", {}))

    assert found["subscription_count"] == count


@pytest.mark.parametrize(("months", "is_prepaid"), [(1, False), (2, True), (None, None)])
def test_more_than_one_month_is_prepaid(months, is_prepaid):
    found = attributes(("subscription", {"status": "active", "term_months": months}))

    assert chosen(found, "is_prepaid", "subscription_term_months") == (is_prepaid, months)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"status": "active"}, {"status": "cancelled", "start_date": "2026-03-03T00:00:00Z"}),
        ({"start_date": "2026-03-03T00:00:00Z"}, {"start_date": "2026-03-02T00:00:00Z"}),
        ({"start_date": "2026-03-02T00:00:00Z"}, {}),
        ({"end_date": "2026-05-01T00:00:00Z"}, {"end_date": "2026-04-01T00:00:00Z"}),
    ],
    ids=["active", "younger", "dated", "longer"],
)
def test_the_plan_is_that_of_the_newest_active_subscription(first, second):
    main, other = ("subscription", first | {"plan": "main"}), ("subscription", second | {"plan": "other"})

    assert attributes(main, other)["subscription_plan"] == attributes(other, main)["subscription_plan"] == "main"


def test_while_a_subscription_is_active_none_has_ended():
    ended = {"status": "cancelled", "end_date": "2026-04-01T00:00:00Z", "cancelled_at": "2026-03-01T00:00:00Z"}
    found = attributes(("subscription", ended), ("subscription", {"status": "active"}))

    assert chosen(found, "active_subscription_count", "subscription_ends_at", "subscription_cancelled_at") == (
        1,
        None,
        None,
    )


def test_the_latest_cancellation_counts():
    days = ("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", None)
    found = attributes(*(("subscription", {"status": "cancelled", "cancelled_at": day}) for day in days))

    assert found["subscription_cancelled_at"] == 1772496000


def test_the_next_renewal_is_the_earliest_of_the_active_subscriptions_that_renew():
    renewing = {"status": "active", "autorenew": True, "end_date": "2026-04-02T00:00:00Z"}
    found = attributes(
        ("subscription", renewing),
        ("subscription", renewing | {"end_date": "2026-04-03T00:00:00Z"}),
        ("subscription", renewing | {"end_date": None}),
        ("subscription", renewing | {"end_date": "2026-04-01T00:00:00Z", "autorenew": False}),
        ("subscription", renewing | {"end_date": "2026-04-01T00:00:00Z", "status": "cancelled"}),
    )

    assert found["next_renewal_at"] == 1775088000


def test_renewals_and_failures_are_counted_over_all_subscriptions():
    found = attributes(
        ("subscription", {"renewed:a": True, "renewed:b": True, "failed:a": True}),
        ("subscription", {"renewed:a": True}),
    )

    assert chosen(found, "renewal_count", "failed_renewal_count") == (3, 1)


@pytest.mark.parametrize("status", ["unpaid", "failed", "voided"])
def test_a_person_with_only_an_unpaid_order_has_bought_nothing(status):
    found = attributes(("order", {"financial_status": status, "total": 100, "placed_at": "2026-03-02T00:00:00Z"}))
    names = ("order_count", "lifetime_value", "average_order_value", "first_order_at", "last_order_at", "currency")

    assert chosen(found, *names) == (0, 0, None, None, None, "USD")


def test_an_order_without_a_total_counts_and_is_worth_nothing():
    assert chosen(attributes(("order", {})), "order_count", "lifetime_value", "average_order_value") == (1, 0, 0)


def test_a_refund_is_taken_off_and_the_average_is_rounded_down():
    found = attributes(
        ("order", {"total": 1000, "placed_at": "2026-03-03T00:00:00Z"}),
        ("order", {"total": 502, "refunded_amount": 1, "placed_at": "2026-03-02T00:00:00Z"}),
    )
    names = ("order_count", "lifetime_value", "average_order_value", "first_order_at", "last_order_at")

    assert chosen(found, *names) == (2, 1501, 750, 1772409600, 1772496000)


@pytest.mark.parametrize(
    ("counters", "orders"),
    [
        ({"num_orders": 2}, (2, 0, 0)),
        ({"total_revenue": 500}, (0, 500, None)),
        ({"num_orders": 0, "total_revenue": 0}, (None, None, None)),
    ],
)
def test_the_stores_own_counters_count_without_any_order(counters, orders):
    found = attributes(("customer", counters))

    assert chosen(found, "order_count", "lifetime_value", "average_order_value") == orders


@pytest.mark.parametrize("is_failed", [True, False])
def test_the_last_payment_and_the_last_failure_are_said(is_failed):
    found = attributes(("payment", {"failed": is_failed, "failed_at": "2026-03-02T00:00:00Z"}))

    assert chosen(found, "payment_failed", "payment_failed_at") == (is_failed, 1772409600)


def test_the_last_box_is_the_one_shipped_last():
    boxes = [
        {"shipped_at": "2026-03-02T00:00:00Z", "tracking_number": "3"},
        {"shipped_at": "2026-03-03T00:00:00Z", "tracking_number": "1"},
        {"shipped_at": "2026-03-03T00:00:00Z", "tracking_number": "2", "tracking_url": "https://example.com/2"},
        {"tracking_number": "4"},
    ]
    found = attributes(
        *(("shipment", box | {"status": "shipped"}) for box in boxes), ("shipment", {"status": "cancelled"})
    )
    names = ("boxes_shipped", "last_shipped_at", "last_tracking_number", "last_tracking_url")

    assert chosen(found, *names) == (4, 1772496000, "2", "https://example.com/2")


@pytest.mark.parametrize(
    ("facts", "count"),
    [
        ([("order", {"is_gift": True}), ("order", {"is_gift": True})], 2),
        ([("order", {"is_gift": True}), ("subscription", {"is_gift": True}), ("subscription", {"is_gift": True})], 2),
        ([("order", {"is_gift": True}), ("order", {"is_gift": True}), ("subscription", {"is_gift": True})], 2),
        ([("order", {"is_gift": True, "is_renewal": True})], None),
        ([("order", {"is_gift": True, "redeemed": True})], None),
        ([("order", {}), ("subscription", {})], None),
    ],
    ids=["orders", "more subscriptions", "more orders", "a renewal", "redeemed", "none"],
)
def test_a_gift_is_counted_by_its_order_or_its_subscription(facts, count):
    assert chosen(attributes(*facts), "gift_giver", "gifts_sent_count") == (count and True, count)


@pytest.mark.parametrize(("fields", "is_recipient"), [({"gift_recipient": True}, True), ({}, None)])
def test_a_customer_who_redeemed_a_gift_is_a_recipient(fields, is_recipient):
    assert attributes(("customer", fields)).get("gift_recipient") is is_recipient


@pytest.mark.parametrize(
    "first",
    [
        ("customer", {"registered_at": "2026-03-01T00:00:00Z"}),
        ("order", {"placed_at": "2026-03-01T00:00:00Z"}),
        ("subscription", {"start_date": "2026-03-01T00:00:00Z"}),
    ],
    ids=["registration", "order", "subscription"],
)
def test_a_person_began_with_the_earliest_of_registration_order_and_subscription(first):
    later = [("order", {"placed_at": "2026-03-02T00:00:00Z"}), ("subscription", {"start_date": "2026-03-02T00:00:00Z"})]

    assert attributes(first, *later)["created_at"] == 1772323200


@pytest.mark.parametrize(
    ("marks", "is_test"), [({"test": True}, True), ({"test": True, "real": True}, False), ({}, False)]
)
def test_a_person_known_only_from_test_objects_is_a_test_person(marks, is_test):
    assert attributes(("customer", marks))["is_test"] is is_test

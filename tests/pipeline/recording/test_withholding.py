"""What recording withholds about people known only from Marketplace, and what it sends once that has changed."""

from __future__ import annotations

import json

import pytest

from pipeline.core.consent import COMMAND_LINE
from pipeline.core.errors import Misconfigured
from pipeline.ledger.consent import list_decisions
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.operations.consent import answer_sources, release, set_gift_recipients, set_marketplace_policy
from pipeline.recording.api_page import ApiPage, enqueue_unsent_profiles, record_api_page
from pipeline.recording.load_stores import load_stores_by_name
from tests.builders import BUYER, NOW, RECIPIENT, customer, gift_order, order, shipment, subscription, transaction

SHOP, MARKET = 1, 2
EMAIL = BUYER["email"]


@pytest.fixture
def answered(recorder):
    recorder.change_store(marketplace_sources=["2"], storefront_sources=["1"])
    return recorder


def outcomes(recorder):
    return [row.outcome for row in recorder.rows(core.Event)]


def reasons(recorder):
    return [row.reason for row in recorder.rows(core.EventPerson)]


def profiles(recorder):
    return [row.message["email"] for row in recorder.rows(core.Delivery) if row.kind == "profile"]


def test_a_marketplace_customer_gets_nothing_and_the_event_says_why(answered):
    result = answered.record_one("order_new", order(source=MARKET))

    (event,) = answered.rows(core.Event)
    assert (event.outcome, reasons(answered), answered.rows(core.Delivery)) == (
        "withheld",
        ["withheld_marketplace"],
        [],
    )
    assert {"code": "withheld_marketplace", "role": "customer"} in event.notes
    assert result.outcomes == {("order_new", "withheld"): 1}


def test_their_attributes_are_computed_all_the_same(answered):
    answered.record_one("order_new", order(source=MARKET))

    (person,) = answered.rows(core.Person)
    assert (person.attributes["order_count"], person.withheld) == (1, "withheld_marketplace")


def test_one_storefront_order_ends_it_and_nothing_of_before_is_sent(answered):
    answered.record_one("order_new", order(source=MARKET))
    answered.record_one("order_new", order(id=7016, source=SHOP))
    answered.record_one("order_updated", order(source=MARKET, status="closed"))

    assert answered.sent() == [(EMAIL, "order_new"), (EMAIL, "order_updated")]
    assert profiles(answered)[0] == EMAIL
    assert outcomes(answered) == ["withheld", "forwarded", "forwarded"]


def test_a_registration_waits_for_the_first_order(answered):
    answered.record_one("customer_new", customer())
    before = answered.sent()
    answered.record_one("order_new", order(source=SHOP))

    assert (before, answered.sent()) == ([], [(EMAIL, "customer_new"), (EMAIL, "order_new")])
    assert (outcomes(answered), reasons(answered)) == (["forwarded", "forwarded"], [None, None])


def test_a_registration_in_the_same_batch_need_not_wait(answered):
    hooks = answered.hook("customer_new", customer()), answered.hook("order_new", order(source=SHOP))
    answered.record(*hooks)

    assert answered.sent() == [(EMAIL, "customer_new"), (EMAIL, "order_new")]


def test_a_registration_before_a_marketplace_order_is_never_sent(answered):
    answered.record_one("customer_new", customer())
    answered.record_one("order_new", order(source=MARKET))
    answered.record_one("order_new", order(id=7016, source=SHOP))

    assert answered.sent() == [(EMAIL, "order_new")]


def test_a_hook_that_lacks_the_source_takes_nothing_back(answered):
    answered.record_one("subscription_new", subscription(source=MARKET))
    answered.record_one("subscription_cancelled", subscription(status="cancelled"))

    assert (answered.sent(), outcomes(answered)) == ([], ["withheld", "withheld"])


def test_a_store_that_never_shows_a_source_is_unaffected(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("order_new", order())

    assert recorder.sent() == [(EMAIL, "customer_new"), (EMAIL, "order_new")]


def test_the_first_unknown_source_stops_what_still_waits_about_the_person(recorder):
    recorder.record_one("customer_new", customer())
    recorder.record_one("order_new", order(source=MARKET))

    found = {(row.status, row.reason) for row in recorder.rows(core.Delivery)}
    assert found == {("withheld", "withheld_origin_unknown")}


def test_in_one_batch_an_unknown_source_withholds_what_came_before_it(recorder):
    recorder.record(recorder.hook("customer_new", customer()), recorder.hook("order_new", order(source=MARKET)))

    assert recorder.rows(core.Delivery) == []


def test_a_recipient_of_a_marketplace_gift_is_withheld_too(answered):
    answered.record_one("order_new", gift_order(source=MARKET))

    assert answered.rows(core.Delivery) == []
    assert reasons(answered) == ["withheld_marketplace", "withheld_marketplace"]


def test_a_buyers_copy_holds_nothing_of_a_withheld_recipient(answered):
    answered.record_one("order_new", order(id=7016, source=SHOP))
    answered.record_one("order_new", gift_order(source=MARKET))
    answered.record_one("transaction_new", {**transaction(), "order": gift_order(source=MARKET)})

    sent = json.dumps([row.message for row in answered.rows(core.Delivery)])
    assert answered.sent() == [(EMAIL, "order_new"), (EMAIL, "order_new"), (EMAIL, "transaction_new")]
    assert [secret for secret in (RECIPIENT, "Rory", "Enjoy!") if secret in sent] == []


def test_a_recipients_copy_and_profile_hold_nothing_of_a_withheld_giver(answered):
    other = customer(id=7002, email=RECIPIENT, first_name="Rory", last_name="R", name="Rory R")
    answered.record_one("order_new", order(id=7016, customer=other, customer_id=7002, source=SHOP))
    answered.record_one("order_new", gift_order(source=MARKET))

    sent = json.dumps([row.message for row in answered.rows(core.Delivery)])
    assert answered.sent() == [(RECIPIENT, "order_new"), (RECIPIENT, "order_new")]
    assert [secret for secret in (EMAIL, "Bea", "Enjoy!") if secret in sent] == []


def test_a_storefront_gift_to_a_marketplace_customer_goes_to_both_whole(answered):
    """They are known to the storefront by the gift."""
    other = customer(id=7002, email=RECIPIENT, first_name="Rory", last_name="R", name="Rory R")
    answered.record_one("order_new", order(id=7016, customer=other, customer_id=7002, source=MARKET))
    answered.record_one("order_new", gift_order(source=SHOP))

    assert answered.sent() == [(EMAIL, "order_new"), (RECIPIENT, "order_new")]


def test_a_late_gift_of_marketplace_reaches_no_recipient(answered):
    answered.record_one("shipment_shipped", shipment(is_gift=True))
    answered.record_one("order_new", gift_order(source=MARKET, subscriptions=[{"id": 7021}]))

    assert answered.rows(core.Delivery) == []


def test_gift_recipients_may_get_nothing(answered):
    with writing(answered.engine) as conn:
        set_gift_recipients(conn, 1, "withhold", COMMAND_LINE, NOW)
    answered.record_one("order_new", gift_order(source=SHOP))

    sent = json.dumps([row.message for row in answered.rows(core.Delivery)])
    assert answered.sent() == [(EMAIL, "order_new")]
    assert (RECIPIENT in sent, reasons(answered)) == (False, [None, "withheld_gift_recipient"])


def test_a_profile_without_address_is_keyed_by_the_customer_id_alone(answered):
    answered.change_store(marketplace_policy="profile_without_address")
    answered.record_one("order_new", gift_order(source=MARKET, bill_address={"street": "1 Home Street"}))

    rows = answered.rows(core.Delivery)
    assert {(row.message["customer_id"], row.message["email"]) for row in rows} == {(7001, None)}
    sent = json.dumps([row.message for row in rows])
    assert [secret for secret in (EMAIL, RECIPIENT, "TX", "Home Street", "Rory") if secret in sent] == []
    assert '"order_count": 1' in sent


@pytest.mark.parametrize("sends_profiles", [True, False])
def test_a_backfill_writes_no_profile_of_theirs(answered, sends_profiles):
    with writing(answered.engine) as conn:
        store = load_stores_by_name(conn, ["acme"])["acme"]
        page = ApiPage("orders", [order(source=MARKET), order(id=7016, source=MARKET)], NOW, 1, sends_profiles)
        record_api_page(conn, store, page, NOW)
        enqueued = [enqueue_unsent_profiles(conn, store, 10, NOW) for _ in range(2)]

    assert (answered.rows(core.Delivery), enqueued[-1]) == ([], 0)


def test_a_customer_whom_the_api_lists_without_orders_is_of_the_storefront(answered):
    answered.record_one("customer_new", customer())
    with writing(answered.engine) as conn:
        store = load_stores_by_name(conn, ["acme"])["acme"]
        page = ApiPage("customers", [customer(num_orders=0)], NOW * 2, 1, sends_profiles=True)
        record_api_page(conn, store, page, NOW)

    assert (profiles(answered)[0], answered.sent()) == (EMAIL, [(EMAIL, "customer_new")])


def decide(recorder, decision, *arguments):
    with writing(recorder.engine) as conn:
        return decision(conn, 1, *arguments, COMMAND_LINE, NOW)


def test_what_only_waited_for_the_answer_is_sent_with_it(recorder):
    recorder.record_one("order_new", order(source=SHOP))
    other = customer(id=7002, email="other@example.com")
    recorder.record_one("order_new", order(id=7016, customer=other, customer_id=7002, source=MARKET))
    before = recorder.sent()

    decide(recorder, answer_sources, ["2"], ["1"])

    assert (before, recorder.sent(), profiles(recorder)) == ([], [(EMAIL, "order_new")], [EMAIL])
    people = recorder.rows(core.Person)
    assert [person.withheld for person in people] == [None, "withheld_marketplace"]


def test_an_answer_sends_nothing_twice(recorder):
    recorder.record_one("order_new", order(source=SHOP))

    decide(recorder, answer_sources, ["2"], ["1"])
    decide(recorder, answer_sources, ["2"], ["1"])

    assert recorder.sent() == [(EMAIL, "order_new")]


def test_forwarding_from_now_on_sends_nothing_of_before(answered):
    answered.record_one("order_new", order(source=MARKET))
    decide(answered, set_marketplace_policy, "forward")
    before = answered.rows(core.Delivery)
    answered.record_one("order_updated", order(source=MARKET, status="closed"))

    assert (before, answered.sent(), profiles(answered)) == ([], [(EMAIL, "order_updated")], [EMAIL])


@pytest.mark.parametrize("policy", ["withhold", "profile_without_address"])
def test_a_stricter_policy_stops_what_waits(answered, policy):
    answered.change_store(marketplace_policy="forward")
    answered.record_one("order_new", order(source=MARKET))

    decide(answered, set_marketplace_policy, policy)

    found = {(row.status, row.reason) for row in answered.rows(core.Delivery)}
    assert found == {("withheld", "withheld_marketplace")}


def test_a_released_person_gets_everything_under_its_old_ids(answered):
    answered.record_one("order_new", order(source=MARKET))
    (person,), (event,) = answered.rows(core.Person), answered.rows(core.Event)

    sent = decide(answered, release, person.id)

    row = answered.rows(core.Delivery)[-1]
    assert (sent, row.message_id, profiles(answered), outcomes(answered)) == (1, event.ulid, [EMAIL], ["forwarded"])
    with reading(answered.engine) as conn:
        (decision,) = list_decisions(conn, 1, person_id=person.id)
    assert (decision.kind, decision.decided_by) == ("release", COMMAND_LINE)


def test_a_released_person_stays_free(answered):
    answered.record_one("order_new", order(source=MARKET))
    decide(answered, release, answered.rows(core.Person)[0].id)
    answered.record_one("order_updated", order(source=MARKET, status="closed"))

    assert answered.sent() == [(EMAIL, "order_new"), (EMAIL, "order_updated")]


def test_who_is_not_withheld_cannot_be_released(answered):
    answered.record_one("order_new", order(source=SHOP))

    with pytest.raises(Misconfigured, match="is not withheld"):
        decide(answered, release, answered.rows(core.Person)[0].id)

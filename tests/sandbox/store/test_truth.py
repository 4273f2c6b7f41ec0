"""The truth agrees with what a receiver got, and with what the API says."""

import json
from collections import defaultdict

import pytest


@pytest.fixture
def lived(shop, recorder):
    shop.listen(recorder)
    shop.live(400, seed=21, threads=3)
    return shop.truth()


@pytest.fixture
def bodies(recorder, lived):
    """Decoded bodies by event, in the order of arrival."""
    found = defaultdict(list)
    for received in recorder.received:
        found[received.event].append(json.loads(json.loads(received.body)))
    return found


def happened(truth, event):
    return [one for one in truth["happenings"] if one["event"] == event]


@pytest.mark.parametrize("event", ["customer_new", "order_new", "subscription_renewed", "shipment_shipped"])
def test_each_happening_was_received_once_with_its_subject(lived, bodies, event):
    assert sorted(body["id"] for body in bodies[event]) == sorted(one["subject_id"] for one in happened(lived, event))


def test_everything_sent_was_accepted(lived):
    assert {(one["posts"], one["accepted"]) for one in lived["happenings"]} == {(1, 1)}


def test_a_persons_hooks_come_in_the_order_of_the_happenings(recorder, lived):
    arrived = [key_of(received) for received in recorder.received]
    for person in lived["people"]:
        mine = [(one["event"], one["subject_id"]) for one in lived["happenings"] if is_about(one, person)]
        assert [key for key in arrived if key in mine] == mine


def is_about(happening, person):
    """A failed checkout may have no id to find it by."""
    about = happening["person"] and happening["person"]["customer_id"] == person["customer_id"]
    return about and happening["event"] != "checkout_failed"


def key_of(received):
    body = json.loads(json.loads(received.body))
    return received.event, body.get("transaction", body).get("id")


def test_a_gifts_order_names_the_recipient_of_the_truth(lived, bodies):
    typed = {
        body["id"]: (body.get("order_gift_info") or {}).get("gift_recipient_email") for body in bodies["order_new"]
    }
    gifts = [one for one in happened(lived, "order_new") if one["recipient"]]
    assert gifts
    assert all(typed[one["subject_id"]].strip().casefold() == one["recipient"]["email"] for one in gifts)


def test_a_box_never_names_a_recipient(lived, bodies):
    assert "gift_recipient_email" not in json.dumps(bodies["shipment_shipped"])


def test_a_gifts_box_leads_to_a_gift_that_was_sent_before(lived, bodies):
    sent_events = {
        one["subject_id"] for one in lived["happenings"] if one["recipient"] and one["subject"] != "shipment"
    }
    boxes = {one["subject_id"] for one in happened(lived, "shipment_shipped") if one["recipient"]}
    leads = [
        {line["subscription_id"] or line["order"]["id"] for line in body["fulfillments"]}
        for body in bodies["shipment_shipped"]
        if body["id"] in boxes
    ]
    assert leads
    assert all(lead <= sent_events for lead in leads)


def test_what_the_buyer_pays_does_not_concern_the_recipient(lived):
    paying = {"transaction_new", "checkout_failed", "customer_new", "address_updated", "billing_updated"}
    assert not [one for one in lived["happenings"] if one["event"] in paying and one["recipient"]]


@pytest.mark.parametrize(
    "kind",
    [
        "gift3_own_address",
        "gift3_own_address_case",
        "gift3_missing",
        "gift3_malformed",
        "gift2_message",
        "gift1_redeemed",
    ],
)
def test_a_gift_that_reaches_no_one_else_has_no_recipient(lived, kind):
    gifts = [one for one in lived["happenings"] if one["gift"] == kind]
    assert gifts
    assert not [one for one in gifts if one["recipient"]]


def test_each_renewal_has_an_end_date_of_its_own(lived):
    renewals = [(one["subject_id"], one["detail"]) for one in happened(lived, "subscription_renewed")]
    assert len(set(renewals)) == len(renewals)


def test_the_record_goes_forward_in_time(lived):
    times = [one["at"] for one in lived["happenings"]]
    assert times == sorted(times)


def test_bought_orders_cost_something(lived, bodies):
    assert all(body["total"] > 0 for body in bodies["order_new"] if "received_gift" not in body)


def test_people_agree_with_the_api(shop, lived):
    for person in lived["people"]:
        if person["customer_id"]:
            customer = shop.get(f"/v1/customers/{person['customer_id']}/?with=subscriptions,shipments,orders")
            assert person["email"] == customer["email"].casefold()
            assert person["orders"] == len(customer["orders"])
            assert person["boxes"] == sum(box["status"] == "shipped" for box in customer["shipments"])
            assert person["subscriptions"] == {str(row["id"]): row["status"] for row in customer["subscriptions"]}


def test_every_recipient_is_among_the_people(lived):
    recipients = {one["recipient"]["email"] for one in lived["happenings"] if one["recipient"]}
    assert recipients == {person["email"] for person in lived["people"] if is_recipient_of_gifting_3(person)}


def is_recipient_of_gifting_3(person):
    return person["gift_recipient"] and (person["customer_id"] is None or person["gifts_received"] > redeemed(person))


def redeemed(person):
    return int(person["gift_recipient"] and person["customer_id"] is not None and person["gifts_received"] == 1)


def test_people_from_before_are_in_the_truth_untold(shop, lived):
    assert {person["told"] for person in lived["people"]} == {True, False}


def test_nobodys_address_can_receive_mail(lived):
    domains = {person["email"].rpartition("@")[2] for person in lived["people"]}
    assert domains <= {"example.com", "example.org", "example.net"}

"""Sending to Klaviyo's API: bulk calls, conflicts, old events and used-up windows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from klaviyo_api import KlaviyoAPI

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable, WrongAddress
from pipeline.core.messages import ConnectionBroken, Identifiers, PersonRef, Rejected, RetryAfter, Sent
from pipeline.destinations.klaviyo.responses import parse_outcome
from pipeline.infra.http.client import HTTPResponse
from tests.contracts.klaviyo_kits import API_KEY, running_klaviyo
from tests.contracts.messages import AT, event, person, profile

ALICE, BOB, GUEST = person(1), person(2), person(3, customer=False)
DAY_S = 86_400


@pytest.fixture
def kit():
    with running_klaviyo() as kit:
        yield kit


def people(kit):
    return {one.external_id or one.email: one for one in kit.world.account.profiles.all.values()}


def paths(kit):
    return [call["path"] for call in kit.world.account.calls]


def test_many_events_go_in_one_call_and_few_one_by_one(kit):
    kit.destination().send([event(number, ALICE) for number in range(1, 51)])
    kit.destination().send([event(number, BOB) for number in range(51, 54)])

    assert paths(kit) == ["event-bulk-create-jobs", "events", "events", "events"]


def test_what_is_sent_again_is_counted_once(kit):
    for _ in range(2):
        kit.destination().send([event(number, ALICE) for number in range(1, 21)])

    assert len(people(kit)["cj_7001"].events) == 20


def test_an_event_that_is_twice_in_a_send_does_not_refuse_the_others(kit):
    reply = kit.destination().send([event(number % 12, ALICE) for number in range(24)])

    assert set(reply.outcomes) == {Sent()}
    assert len(people(kit)["cj_7001"].events) == 12


def test_the_events_that_a_bulk_call_names_go_alone_and_the_others_again_in_bulk(kit):
    messages = [event(number, ALICE) for number in range(1, 21)]
    messages[4] = replace(messages[4], at=AT + 500 * DAY_S)

    reply = kit.destination().send(messages)

    assert [number for number, one in enumerate(reply.outcomes) if isinstance(one, Rejected)] == [4]
    assert len(people(kit)["cj_7001"].events) == 19
    assert [call.endpoint for call in reply.calls] == [
        "/api/event-bulk-create-jobs",
        "/api/events",
        "/api/event-bulk-create-jobs",
    ]


def test_an_old_event_starts_no_flow_and_a_recent_one_does(kit):
    old = replace(event(1, ALICE, "order_new"), at=AT - 4 * DAY_S)

    kit.destination().send([old, event(2, ALICE, "shipment_shipped")])

    assert [one["name"] for one in kit.world.account.events.automations] == ["shipment_shipped"]


def test_no_person_is_subscribed(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False, accepts_marketing=True), event(2, ALICE)])

    assert not any(one.is_subscribed for one in people(kit).values())
    assert "profile-subscription-bulk-create-jobs" not in paths(kit)


def test_a_gift_recipient_who_buys_stays_one_person(kit):
    buyer = person(3)
    kit.destination().send([profile(1, GUEST, has_profile=False), event(2, GUEST)])
    kit.destination().send([profile(3, buyer), event(4, buyer)])

    assert [(who, len(one.events)) for who, one in people(kit).items()] == [("cj_7003", 2)]


def test_a_customers_new_address_replaces_the_old_one(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False)])
    kit.destination().send([profile(2, PersonRef(1, 7001, "new@example.com"))])

    assert [one.email for one in people(kit).values()] == ["new@example.com"]


def test_a_new_address_that_another_profile_has_merges_that_profile(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False), profile(2, GUEST, has_profile=False)])
    kit.destination().send([event(3, ALICE), event(4, GUEST)])

    reply = kit.destination().send([profile(5, PersonRef(1, 7001, GUEST.email), plan="Large Box")])

    assert reply.outcomes == (Sent(("merged:the profile that had the address",)),)
    [found] = people(kit).values()
    assert (found.external_id, len(found.events), found.properties["plan"]) == ("cj_7001", 2, "Large Box")


def test_a_new_address_that_another_customer_has_merges_none(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False), profile(2, BOB, has_profile=False), event(3, BOB)])

    reply = kit.destination().send([profile(4, PersonRef(1, 7001, BOB.email), plan="Large Box")])

    assert reply.outcomes == (Sent(("kept:the address there, which another profile has",)),)
    assert {who: (one.email, len(one.events)) for who, one in people(kit).items()} == {
        "cj_7001": (ALICE.email, 0),
        "cj_7002": (BOB.email, 1),
    }
    assert people(kit)["cj_7001"].properties["plan"] == "Large Box"


def test_a_profile_that_was_merged_meanwhile_does_not_break_the_connection(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False), profile(2, GUEST, has_profile=False)])
    answer = kit.world.account.profiles.merge

    def merge_twice(source, target):
        answer(source, target)
        return answer(source, target)

    kit.world.account.profiles.merge = merge_twice
    reply = kit.destination().send([profile(5, PersonRef(1, 7001, GUEST.email), plan="Large Box")])

    assert [type(one) for one in reply.outcomes] == [Sent]
    assert [one.email for one in people(kit).values()] == [GUEST.email]


def test_a_merge_that_fails_for_now_is_tried_again_with_the_profile(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False), profile(2, GUEST, has_profile=False)])
    moved = profile(5, PersonRef(1, 7001, GUEST.email), plan="Large Box")
    kit.world.next_answers.extend([{"status": 503, "after": True}])

    first = kit.destination().send([moved])
    second = kit.destination().send([moved])

    assert [type(one) for one in (*first.outcomes, *second.outcomes)] == [RetryAfter, Sent]
    assert len(people(kit)) == 1


def test_amounts_of_new_orders_are_revenue_and_of_changed_ones_are_not(kit):
    kit.destination().send([event(1, ALICE, "order_new", total=3495, currency="USD")])
    kit.destination().send([event(2, ALICE, "order_updated", total=3495, currency="USD")])

    assert [one["value"] for one in people(kit)["cj_7001"].events] == [34.95, None]


def test_events_can_have_the_names_of_klaviyos_own_integrations(kit):
    kit.destination(event_names="klaviyo").send([event(1, ALICE, "order_new"), event(2, ALICE, "own_event")])

    assert [one["name"] for one in people(kit)["cj_7001"].events] == ["Placed Order", "own_event"]


@pytest.mark.parametrize(
    ("written", "number"),
    [("+1 512-555-0100", "+15125550100"), ("512-555-0100", None), ("ask for Bea", None)],
)
def test_a_telephone_number_is_a_property_and_klaviyos_own_field_if_it_has_that_form(kit, written, number):
    kit.destination().send([profile(1, ALICE, has_profile=False, phone=written)])

    found = people(kit)["cj_7001"]
    assert (found.phone_number, found.properties["phone"]) == (number, written)


def test_a_telephone_number_of_the_right_form_that_klaviyo_refuses_loses_nothing_else(kit):
    kit.world.next_answers.extend([{"status": 201, "after": True}, {"status": 400}])

    reply = kit.destination().send([profile(1, ALICE, has_profile=False, phone="+1 512-555-0100", plan="Small")])

    assert reply.outcomes == (Sent(("kept:the telephone number as a property only",)),)
    assert people(kit)["cj_7001"].properties == {"phone": "+1 512-555-0100", "plan": "Small"}


@pytest.mark.parametrize("is_known", [False, True])
def test_two_people_with_one_telephone_stay_two(kit, is_known):
    phone = "+1 512-555-0100"
    kit.destination().send([profile(1, ALICE, has_profile=False, phone=phone), event(2, ALICE)])
    if is_known:
        kit.destination().send([profile(3, BOB, has_profile=False)])

    reply = kit.destination().send([profile(4, BOB, has_profile=is_known, phone=phone)])

    assert reply.outcomes == (Sent(("kept:the telephone number as a property only",)),)
    assert {who: (one.email, one.phone_number, len(one.events)) for who, one in people(kit).items()} == {
        "cj_7001": (ALICE.email, "+15125550100", 1),
        "cj_7002": (BOB.email, None, 0),
    }


def test_names_and_places_have_klaviyos_own_fields(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False, first_name="Alice", city="Austin", plan="Small")])

    found = people(kit)["cj_7001"]
    assert found.fields == {"first_name": "Alice", "location": {"city": "Austin"}}
    assert found.properties == {"plan": "Small"}


def test_an_attribute_that_lost_its_value_is_cleared(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False, plan="Small", boxes=1)])
    kit.destination().send([profile(2, ALICE, plan=None)])

    assert people(kit)["cj_7001"].properties == {"boxes": 1}


def test_a_window_that_is_used_up_ends_the_send_until_it_is_over():
    with running_klaviyo(tier="s") as kit:
        reply = kit.destination().send([profile(number, person(number), has_profile=False) for number in range(1, 6)])

        assert [type(one) for one in reply.outcomes] == [Sent] * 3 + [RetryAfter] * 2
        assert [call.status for call in reply.calls] == [201] * 3
        assert {one.seconds for one in reply.outcomes if isinstance(one, RetryAfter)} == {1.0}


def test_a_person_who_is_to_be_forgotten_gets_no_mail_while_the_deletion_waits(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False)])

    reply = kit.destination().forget(Identifiers((7001,), (str(ALICE.email),)), "delete")

    assert reply.outcomes == (Sent(),)
    assert people(kit) == {}
    changing = [call.endpoint for call in reply.calls if call.method == "POST"]
    assert changing == ["/api/profile-suppression-bulk-create-jobs", "/api/data-privacy-deletion-jobs"]


def test_klaviyos_own_client_reads_what_was_sent(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False, plan="Small Box")])

    client = KlaviyoAPI(API_KEY, max_retries=0, test_host=kit.url)
    [found] = client.Profiles.get_profiles(filter=f'equals(email,"{ALICE.email}")').data
    assert (found.attributes.external_id, found.attributes.properties) == ("cj_7001", {"plan": "Small Box"})


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (202, Sent),
        (400, Rejected),
        (401, ConnectionBroken),
        (403, ConnectionBroken),
        (409, Rejected),
        (410, ConnectionBroken),
        (413, Rejected),
        (429, RetryAfter),
        (500, RetryAfter),
        (524, RetryAfter),
        (None, RetryAfter),
    ],
)
def test_what_a_status_means(status, outcome):
    assert type(parse_outcome(HTTPResponse(status))) is outcome


def test_a_page_instead_of_an_answer_is_no_success():
    assert type(parse_outcome(HTTPResponse(202, body="<html>"))) is RetryAfter


def test_the_revision_is_named_with_every_call(kit):
    assert kit.destination().check().account  # the sandbox refuses a call without one


@pytest.mark.parametrize(
    ("status", "error"), [(401, BadCredentials), (403, BadCredentials), (404, WrongAddress), (500, Unreachable)]
)
def test_what_the_check_says_of_a_refusal(kit, status, error):
    kit.answer_next(status)

    with pytest.raises(error):
        kit.destination().check()


def test_an_account_that_is_none_is_not_taken_for_one(kit):
    kit.answer_next(200)

    with pytest.raises(Unreachable):
        kit.destination().check()


def test_an_unknown_choice_is_named(kit):
    with pytest.raises(Misconfigured, match="event_names"):
        kit.destination(event_names="upper")


def test_bodies_hold_no_key(kit):
    kit.destination().send([profile(1, ALICE, has_profile=False), event(2, ALICE)])

    assert all(API_KEY not in json.dumps(json.loads(body)) for body in kit.bodies())

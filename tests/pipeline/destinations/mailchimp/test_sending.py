"""Sending to Mailchimp: consent, fields, batches, and events that must not be there twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mailchimp_marketing import Client

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable, WrongAddress
from pipeline.core.messages import ConnectionBroken, Identifiers, PersonRef, Rejected, RetryAfter, Sent
from pipeline.destinations.mailchimp import open_fields
from pipeline.destinations.mailchimp.responses import parse_outcome
from pipeline.infra.http.client import HTTPResponse
from sandbox.mailchimp.addresses import hash_address
from tests.contracts.mailchimp_kits import API_KEY, running_mailchimp
from tests.contracts.messages import AT, event, person, profile

ALICE, GUEST = person(1), person(3, customer=False)
DAY_S = 86_400
US_PER_S = 1_000_000


@pytest.fixture
def kit():
    with running_mailchimp() as kit:
        yield kit


def member(kit, who=ALICE):
    return kit.world.audience.find_address(str(who.email))


def list_tags(kit):
    return [one.tag for one in kit.world.audience.fields]


def first_profile(delivery_id, who=ALICE, **data):
    return replace(profile(delivery_id, who, has_profile=False, **data), event_id=9)


def endpoints(reply):
    return [(call.method, call.endpoint.removeprefix("/lists/:audience")) for call in reply.calls]


def test_a_new_contact_is_not_subscribed_even_if_they_agreed(kit):
    kit.destination().send([first_profile(1, accepts_marketing=True)])

    assert member(kit).status == "transactional"
    assert kit.world.audience.automations == []


@pytest.mark.parametrize(("double_optin", "status"), [("no", "subscribed"), ("yes", "pending")])
def test_who_agreed_is_subscribed_as_the_audience_demands_if_the_merchant_wants_it(kit, double_optin, status):
    destination = kit.destination(new_members="who agreed", double_optin=double_optin)
    destination.send([first_profile(1, accepts_marketing=True), first_profile(2, GUEST)])

    assert [member(kit, who).status for who in (ALICE, GUEST)] == [status, "transactional"]


def test_a_backfill_subscribes_no_person(kit):
    quiet = profile(1, ALICE, has_profile=False, accepts_marketing=True)  # of no event
    kit.destination(new_members="who agreed").send([quiet])

    assert member(kit).status == "transactional"


@pytest.mark.parametrize("status", ["unsubscribed", "cleaned", "archived", "subscribed"])
def test_what_a_contact_has_chosen_is_never_changed(kit, status):
    kit.destination().send([first_profile(1)])
    member(kit).status = status

    kit.destination(new_members="who agreed").send([replace(profile(2, ALICE, accepts_marketing=True), event_id=9)])

    assert member(kit).status == status


def test_attributes_become_fields_as_marketers_read_them(kit):
    data = {
        "first_name": "Alice",
        "order_count": 3,
        "lifetime_value": 10485,
        "next_renewal_at": AT,
        "payment_failed": True,
    }
    kit.destination().send([first_profile(1, **data)])

    expected = {"FNAME": "Alice", "ORDERS": 3, "LTV": 104.85, "NEXTRENEW": "2026-03-02", "PAYFAILED": "yes"}
    held = {tag: value for tag, value in member(kit).merge.items() if value != ""}
    assert held == {**expected, "CJ_ID": "cj_7001"}


def test_an_attribute_that_lost_its_value_is_cleared(kit):
    kit.destination().send([first_profile(1, subscription_plan="Small")])
    kit.destination().send([profile(2, ALICE, subscription_plan=None)])

    assert member(kit).merge["SUBPLAN"] == ""


def test_long_texts_are_cut_between_characters(kit):
    kit.destination().send([first_profile(1, country="é" * 200)])

    assert member(kit).merge["COUNTRY"] == "é" * 127


def test_answers_to_surveys_get_fields_of_their_own(kit):
    kit.destination().send([first_profile(1, survey_allergies="nuts", variant_size="M")])
    again = kit.destination().send([profile(2, ALICE, survey_allergies="none")])

    named = {one.name: one.tag for one in kit.world.audience.fields}
    assert member(kit).merge[named["survey_allergies"]] == "none"
    assert endpoints(again) == [("PUT", "/members/:hash")]  # the fields are known


def test_a_field_that_another_process_has_made_meanwhile_is_used(kit):
    kit.destination().send([first_profile(1, survey_allergies="nuts")])
    fields = list_tags(kit)
    open_fields._known.clear()  # another process

    kit.destination().send([profile(2, ALICE, survey_allergies="none")])

    assert list_tags(kit) == fields


def test_answers_for_which_the_audience_has_no_room_are_noted(kit):
    answers = {f"survey_{number:02}": "x" for number in range(17)}

    reply = kit.destination().send([first_profile(1, **answers)])

    assert reply.outcomes == (Sent(("dropped:5 without a merge field",)),)
    assert len(list_tags(kit)) == 30


def test_a_field_that_the_merchant_deleted_is_noted(kit):
    kit.world.audience.fields.remove(kit.world.audience.fields.get("SUBPLAN"))

    reply = kit.destination().send([first_profile(1, subscription_plan="Small")])

    assert reply.outcomes == (Sent(("no such field:SUBPLAN",)),)


def test_the_recipient_of_a_gift_gets_a_tag_that_starts_nothing(kit):
    kit.destination().send([first_profile(1, GUEST, gift_recipient=True)])

    assert list(member(kit, GUEST).tags) == ["Gift recipient"]
    assert kit.world.audience.automations == []


def test_a_gift_recipient_who_buys_stays_one_contact(kit):
    kit.destination().send([first_profile(1, GUEST), event(2, GUEST)])
    kit.destination().send([profile(3, person(3)), event(4, person(3))])

    assert len(member(kit, GUEST).events) == 2
    assert member(kit, GUEST).merge["CJ_ID"] == "cj_7003"


def test_a_person_without_an_address_cannot_be_there(kit):
    reply = kit.destination().send([profile(1, PersonRef(1, 7001, None))])

    assert [one.reason for one in reply.outcomes if isinstance(one, Rejected)] == ["no_identifier"]


def test_an_event_of_a_person_who_is_not_there_makes_the_contact_first(kit):
    reply = kit.destination().send([event(1, ALICE)])

    assert reply.outcomes == (Sent(),)
    assert (member(kit).status, len(member(kit).events)) == ("transactional", 1)


def test_an_events_properties_are_texts_with_our_id(kit):
    kit.destination().send([first_profile(1), event(2, ALICE, subject_id=5, order={"total": 3495}, is_gift=False)])

    [kept] = member(kit).events
    assert kept.properties == {
        "subject_id": "5",
        "is_gift": "false",
        "order_total": "3495",
        "cj_event_id": event(2, ALICE).message_id,
    }


def test_an_old_event_starts_no_automation(kit):
    old = replace(event(2, ALICE, "order_new"), at=AT - 4 * DAY_S)
    kit.destination().send([first_profile(1), old, event(3, ALICE, "shipment_shipped")])

    assert [one["name"] for one in kit.world.audience.automations] == ["shipment_shipped"]


def test_an_event_that_arrived_before_its_answer_was_lost_is_found_again(kit):
    kit.destination().send([first_profile(1)])
    sent = replace(event(2, ALICE), written_at=(AT - 60) * US_PER_S)
    kit.world.next_answers.extend([{"status": 200}, {"status": 503, "after": True}])

    first = kit.destination().send([sent])
    second = kit.destination().send([sent])

    assert [(type(one), one.seconds) for one in first.outcomes] == [(RetryAfter, 120.0)]
    assert second.outcomes == (Sent(("found:an earlier try had arrived",)),)
    assert len(member(kit).events) == 1


def test_an_event_that_did_not_arrive_is_sent_again(kit):
    kit.destination().send([first_profile(1)])
    sent = replace(event(2, ALICE), written_at=(AT - 60) * US_PER_S)
    kit.world.next_answers.extend([{"status": 200}, {"status": 503}])

    kit.destination().send([sent])
    reply = kit.destination().send([sent])

    assert (reply.outcomes, len(member(kit).events)) == ((Sent(),), 1)


def test_an_event_is_not_looked_for_at_its_first_try(kit):
    kit.destination().send([first_profile(1)])
    reply = kit.destination().send([replace(event(2, ALICE), written_at=kit.destination()._http.now())])

    assert endpoints(reply) == [("POST", "/members/:hash/events")]


def test_a_deleted_person_is_refused_for_good(kit):
    kit.destination().send([first_profile(1)])
    kit.destination().forget(Identifiers((7001,), (str(ALICE.email),)), "delete")

    reply = kit.destination().send([first_profile(2)])

    assert [one.reason for one in reply.outcomes if isinstance(one, Rejected)] == ["permanently_deleted"]


def test_mailchimps_own_client_reads_what_was_sent(kit):
    kit.destination().send([first_profile(1, first_name="Alice")])

    client = Client({"api_key": API_KEY})
    client.api_client.host = f"{kit.url}/3.0"
    found = client.lists.get_list_member(kit.world.audience.id, hash_address(str(ALICE.email)))
    assert (found["status"], found["merge_fields"]["FNAME"]) == ("transactional", "Alice")


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, "{}", Sent),
        (204, "", Sent),
        (400, '{"title": "Forgotten Email Not Subscribed"}', Rejected),
        (400, '{"title": "Invalid Resource"}', Rejected),
        (401, "", ConnectionBroken),
        (403, '{"title": "Forbidden"}', ConnectionBroken),
        (403, "", RetryAfter),
        (429, "", RetryAfter),
        (502, "<html>", RetryAfter),
        (None, "", RetryAfter),
    ],
)
def test_what_a_status_means(status, body, outcome):
    assert type(parse_outcome(HTTPResponse(status, body=body))) is outcome


def test_the_check_finds_the_audience_and_makes_the_fields(kit):
    checked = kit.destination(audience="").check()

    assert checked.config["audience"] == kit.world.audience.id
    assert {"CJ_ID", "SUBSTATUS", "GIFTRECIP"} <= set(list_tags(kit))


def test_an_audience_that_is_not_there_is_answered_with_those_there_are(kit):
    with pytest.raises(Misconfigured, match="Sandbox"):
        kit.destination(audience="another").check()


def test_a_key_without_its_data_centre_is_refused(kit):
    with pytest.raises(Misconfigured, match="data centre"):
        kit.destination(api_key="0123456789abcdef", base_url="")


@pytest.mark.parametrize(
    ("status", "error"), [(401, BadCredentials), (404, WrongAddress), (500, Unreachable), (200, Unreachable)]
)
def test_what_the_check_says_of_a_refusal(kit, status, error):
    kit.answer_next(status)

    with pytest.raises(error):
        kit.destination().check()

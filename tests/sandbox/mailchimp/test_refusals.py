"""Refusals: compliance, permanently deleted addresses, changed addresses, bad addresses."""

from __future__ import annotations

import pytest

from tests.sandbox.mailchimp.conftest import ROBIN, key_of

NEW = "new@sample-shop.com"
COMPLIANCE = "is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."


def delete_permanently(call, address=ROBIN):
    return call.member("POST", address, below="/actions/delete-permanent")


@pytest.mark.parametrize("action", ["unsubscribe", "complain", "bounce", "review"])
def test_who_opted_out_or_bounced_cannot_be_subscribed(call, action):
    call.put(ROBIN, "subscribed")
    call.act(action, ROBIN)

    answer = call.put(ROBIN, status="subscribed")

    assert (answer.status, answer.json["title"]) == (400, "Member In Compliance State")
    assert answer.json["detail"] == f"{ROBIN} {COMPLIANCE}"


def test_a_patch_cannot_subscribe_them_either(call):
    call.put(ROBIN, "subscribed")
    call.act("unsubscribe", ROBIN)

    assert call.member("PATCH", ROBIN, {"status": "subscribed"}).json["title"] == "Member In Compliance State"


def test_a_refused_write_changes_nothing(call):
    call.put(ROBIN, "subscribed")
    call.act("unsubscribe", ROBIN)

    call.put(ROBIN, status="subscribed", merge_fields={"FNAME": "Robin"})

    assert call.member("GET", ROBIN).json["merge_fields"]["FNAME"] == ""


def test_without_a_status_their_data_still_flows(call):
    call.put(ROBIN, "subscribed")
    call.act("unsubscribe", ROBIN)

    assert call.put(ROBIN, "subscribed", merge_fields={"FNAME": "Robin"}).status == 200


def test_pending_is_accepted_and_mails_them(call):
    call.put(ROBIN)
    call.act("unsubscribe", ROBIN)

    answer = call.put(ROBIN, status="pending")

    assert (answer.json["status"], call.started()) == ("pending", ["confirmation_mail"])


def test_who_confirms_is_subscribed_and_no_longer_barred(call):
    call.put(ROBIN)
    call.act("unsubscribe", ROBIN)
    call.put(ROBIN, status="pending")
    call.act("confirm", ROBIN)
    call.member("PATCH", ROBIN, {"status": "unsubscribed"})

    assert call.put(ROBIN, status="subscribed").status == 200


def test_archiving_does_not_lift_the_compliance_state(call):
    call.put(ROBIN, "subscribed")
    call.act("unsubscribe", ROBIN)
    call.member("DELETE", ROBIN)

    assert call.put(ROBIN, status="subscribed").json["title"] == "Member In Compliance State"


def test_whom_the_merchant_unsubscribed_can_be_subscribed(call):
    call.put(ROBIN, "subscribed")
    call.act("unsubscribe_by_admin", ROBIN)

    assert call.put(ROBIN, status="subscribed").status == 200


def test_erasing_removes_the_member_for_good(call):
    call.put(ROBIN)

    assert (delete_permanently(call).status, call.member("GET", ROBIN).status) == (204, 404)


@pytest.mark.parametrize("status", ["subscribed", "pending", "transactional", "unsubscribed"])
def test_an_erased_address_is_refused_with_any_status(call, status):
    call.put(ROBIN)
    delete_permanently(call)

    by_put = call.put(ROBIN, status)
    by_post = call("POST", f"{call.list}/members", {"email_address": ROBIN.upper(), "status": status})

    why = "was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
    assert (by_put.status, by_put.json["title"]) == (400, "Forgotten Email Not Subscribed")
    assert by_put.json["detail"] == f"{ROBIN} {why}"
    assert by_post.json["title"] == "Forgotten Email Not Subscribed"


def test_erasing_who_is_not_there_is_not_found(call):
    call.put(ROBIN)
    delete_permanently(call)

    assert (delete_permanently(call).status, delete_permanently(call, NEW).status) == (404, 404)


@pytest.mark.parametrize("path", ["/tags", "/events"])
def test_tags_and_events_of_an_erased_member_are_not_found(call, path):
    call.put(ROBIN)
    delete_permanently(call)

    assert call.member("POST", ROBIN, {"name": "order_new", "tags": []}, below=path).status == 404


def test_an_archived_member_can_be_erased(call):
    call.put(ROBIN)
    call.member("DELETE", ROBIN)

    assert delete_permanently(call).status == 204


def test_an_address_is_erased_from_one_audience_only(call):
    other = call.sandbox("POST", "/audiences", {"name": "Other"})["audience"]
    call.put(ROBIN)
    delete_permanently(call)

    answer = call("PUT", f"/lists/{other}/members/{key_of(ROBIN)}", {"email_address": ROBIN, "status": "subscribed"})

    assert answer.status == 200


def test_the_person_comes_back_over_a_hosted_form(call):
    call.put(ROBIN)
    delete_permanently(call)
    call.act("resubscribe", ROBIN)

    assert (call.status_of(ROBIN), call.put(ROBIN).status) == ("subscribed", 200)


def test_a_patch_changes_the_address_and_keeps_history(call):
    call.put(ROBIN, "subscribed")
    call.member("POST", ROBIN, {"name": "order_new"}, below="/events")

    call.member("PATCH", ROBIN, {"email_address": NEW})

    assert call.member("GET", NEW, below="/events").json["total_items"] == 1


@pytest.mark.parametrize(
    ("status", "word"),
    [("subscribed", "Subscribed"), ("transactional", "Non-Subscribed"), ("unsubscribed", "Unsubscribed")],
)
def test_an_address_that_is_there_already_is_refused(call, status, word):
    call.put(ROBIN, "subscribed")
    call.put(NEW, status)

    answer = call.member("PATCH", ROBIN, {"email_address": NEW})

    [error] = answer.json["errors"]
    assert (answer.status, error["field"]) == (400, "email address")
    assert error["message"] == f'"{NEW}" is already in this list with a status of "{word}".'


def test_an_erased_address_cannot_be_taken_on(call):
    call.put(ROBIN, "subscribed")
    call.put(NEW)
    delete_permanently(call, NEW)

    answer = call.member("PATCH", ROBIN, {"email_address": NEW})

    assert answer.json["errors"][0]["message"].endswith('with a status of "Deleted".')


@pytest.mark.parametrize("status", ["transactional", "unsubscribed", "cleaned"])
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_only_a_subscribed_member_changes_the_address(call, status, method):
    call.put(ROBIN, status)

    answer = call.member(method, ROBIN, {"email_address": NEW})

    why = 'You can only update email addresses for members with a status of "subscribed."'
    assert answer.json["errors"] == [
        {"field": "email address", "message": f'This member\'s status is "{status}." {why}'}
    ]


def test_a_switch_lets_everyone_change_the_address(call):
    call.sandbox("POST", "/switches", {"address_change": "any"})
    call.put(ROBIN)

    assert call.member("PATCH", ROBIN, {"email_address": NEW}).json["id"] == key_of(NEW)


@pytest.mark.parametrize(
    "address", ["robin", "robin@", "@sample-shop.com", "a b@sample-shop.com", ".a@sample-shop.com"]
)
def test_a_malformed_address_is_refused(call, address):
    answer = call.put(address)

    assert (answer.status, answer.json["title"]) == (400, "Invalid Resource")
    assert answer.json["detail"] == "Please provide a valid email address."


@pytest.mark.parametrize("domain", ["sample-shop", "-sample.com", "sample..com", "sample_.com"])
def test_a_bad_domain_is_named(call, domain):
    why = f"The domain portion of the email address is invalid (the portion after the @: {domain})"

    assert call.put(f"robin@{domain}").json["detail"] == why


@pytest.mark.parametrize("address", ["robin@example.com", "robin@Mailinator.com", "robin@sample-shop.vom"])
def test_a_switch_refuses_fake_addresses(call, address):
    before = call.put(address).status
    call.sandbox("POST", "/switches", {"reject_fake": True})

    answer = call.put(address)

    assert (before, answer.status) == (200, 400)
    assert answer.json["detail"] == f"{address} looks fake or invalid, please enter a real email address."


def test_an_address_with_too_many_sign_ups_is_refused(call):
    call.act("overuse", ROBIN)

    answer = call.put(ROBIN)

    assert (answer.status, answer.json["title"]) == (400, "Invalid Resource")
    assert (
        "has signed up to a lot of lists very recently; we're not allowing more signups for now"
        in answer.json["detail"]
    )


def test_messages_of_fields_are_in_the_accounts_language_and_titles_are_not(call):
    call.sandbox("POST", "/switches", {"locale": "de"})
    call("POST", f"{call.list}/merge-fields", {"name": "Colour", "type": "text", "tag": "COLOUR", "required": True})

    problem = call.put(ROBIN).json

    assert problem["title"] == "Invalid Resource"
    assert problem["errors"] == [{"field": "COLOUR", "message": "Bitte gib einen Wert ein."}]

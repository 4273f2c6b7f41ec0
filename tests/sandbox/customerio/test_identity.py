import json

import pytest

from tests.sandbox.customerio.client import START, ULID, Client


def test_addresses_compare_without_regard_to_case_and_ids_exactly(client: Client):
    client.identify("Robin@Example.com", plan="gold")
    client.identify("robin@example.com", seats=1)
    client.identify("cj_A")
    client.identify("cj_a")

    assert [(p["email"], p["id"], p["attributes"]) for p in client.people()] == [
        ("Robin@Example.com", None, {"plan": "gold", "seats": 1}),
        (None, "cj_A", {}),
        (None, "cj_a", {}),
    ]


def test_a_new_id_with_a_known_address_joins_the_person_who_has_it(client: Client):
    client.identify("gift@example.com", gift_recipient=True)

    client.identify("cj_7", email="GIFT@example.com", plan="gold")

    (person,) = client.people()
    assert (person["id"], person["email"]) == ("cj_7", "gift@example.com")
    assert person["attributes"] == {"gift_recipient": True, "plan": "gold"}


def test_an_address_of_a_person_with_another_id_is_not_taken_over(client: Client):
    client.identify("cj_1", email="a@example.com")

    assert client.identify("cj_2", email="a@example.com", plan="gold").status == 200
    assert [person["id"] for person in client.people()] == ["cj_1"]
    assert client.log() == ["Attribute Update Failure"]


def test_an_address_of_another_person_fails_silently_and_the_rest_is_written(client: Client):
    client.identify("cj_1", email="a@example.com")
    client.identify("cj_2", email="b@example.com")

    assert client.identify("cj_2", email="a@example.com", plan="gold").status == 200
    assert client.person("b@example.com")["attributes"] == {"plan": "gold"}
    assert client.log() == ["Attribute Update Failure"]


@pytest.mark.parametrize(("allowed", "email"), [(True, "new@example.com"), (False, "old@example.com")])
def test_the_switch_decides_whether_an_id_may_change_an_address(client: Client, allowed, email):
    client.switch(allow_email_update=allowed)
    client.identify("cj_1", email="old@example.com")

    client.identify("cj_1", email="new@example.com")

    assert [person["email"] for person in client.people()] == [email]


def test_the_vendors_own_id_may_change_any_identifier(client: Client):
    client.switch(allow_email_update=False)
    client.identify("cj_1", email="old@example.com")
    cio_id = client.people()[0]["cio_id"]

    client.identify(f"cio_{cio_id}", email="new@example.com", id="cj_2")

    assert [(person["id"], person["email"]) for person in client.people()] == [("cj_2", "new@example.com")]
    client.identify("old@example.com")
    assert len(client.people()) == 2


def test_an_unknown_vendor_id_is_dropped(client: Client):
    client.identify("cio_ffff", plan="gold")
    client.track("cio_ffff")

    assert client.people() == []
    assert client.log() == ["Dropped: unknown cio_id"] * 2


def test_an_update_only_call_creates_no_one(client: Client):
    assert client.identify("cj_1", _update=True, plan="gold").status == 200

    assert client.people() == []
    assert client.log() == ["Failed Attribute Change"]


def test_an_older_attribute_loses(client: Client):
    client.identify("cj_1", plan="gold", _timestamp=START)
    client.identify("cj_1", plan="iron", seats=2, _timestamp=START - 1)
    client.identify("cj_1", seats=3, _timestamp=START)

    assert client.people()[0]["attributes"] == {"plan": "gold", "seats": 3}
    assert client.log() == ["Older attribute ignored"]


def test_what_is_no_address_is_not_set(client: Client):
    client.identify("cj_1", email="nonsense")

    assert client.people()[0]["email"] is None
    assert client.log() == ["Attribute Update Failure"]


def test_a_deleted_person_is_gone_and_may_come_back(client: Client):
    client.identify("cj_1", email="a@example.com", plan="gold")

    assert client.call("DELETE", "/api/v1/customers/cj_1").status == 200
    assert client.call("DELETE", "/api/v1/customers/cj_1").status == 200
    assert client.people() == []
    client.identify("cj_1")
    assert client.people()[0]["attributes"] == {}


def test_a_suppressed_person_is_gone_and_stays_away_under_every_identifier(client: Client):
    client.identify("cj_1", email="a@example.com")
    client.call("POST", "/api/v1/customers/cj_1/suppress")

    client.identify("cj_1")
    client.track("a@example.com")
    client.identify("cj_2", email="A@example.com")

    assert client.people() == []
    assert client.log() == ["Suppressed"] * 3


def test_lifting_a_suppression_lets_every_identifier_in_again(client: Client):
    client.identify("cj_1", email="a@example.com")
    client.call("POST", "/api/v1/customers/cj_1/suppress")

    client.call("POST", "/api/v1/customers/cj_1/unsuppress")
    client.identify("a@example.com")

    assert [person["email"] for person in client.people()] == ["a@example.com"]


def test_a_merge_keeps_the_primarys_values_and_moves_the_rest(client: Client):
    client.identify("cj_1", plan="gold", note="")
    client.identify("a@example.com", plan="iron", note="hello")
    client.track("a@example.com", id=ULID)

    both = {"primary": {"id": "cj_1"}, "secondary": {"email": "a@example.com"}}
    assert client.call("POST", "/api/v1/merge_customers", both).status == 200

    (person,) = client.people()
    assert (person["id"], person["email"], person["attributes"]) == (
        "cj_1",
        "a@example.com",
        {"plan": "gold", "note": "hello"},
    )
    assert [event["id"] for event in person["events"]] == [ULID]


def test_a_merge_without_its_primary_does_nothing(client: Client):
    client.identify("a@example.com")

    both = {"primary": {"id": "cj_1"}, "secondary": {"email": "a@example.com"}}
    assert client.call("POST", "/api/v1/merge_customers", both).status == 200
    assert [person["email"] for person in client.people()] == ["a@example.com"]


def test_a_merge_side_with_two_identifiers_is_refused_in_the_singular(client: Client):
    both = {"primary": {"id": "cj_1", "email": "a@example.com"}, "secondary": {"id": "cj_2"}}

    answer = client.call("POST", "/api/v1/merge_customers", both)

    assert answer.status == 400
    assert list(json.loads(answer.body)["meta"]) == ["error"]

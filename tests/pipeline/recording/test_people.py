"""People of a batch are found by any of their keys, without a database."""

from __future__ import annotations

import pytest

from pipeline.fan_out.facts import Fact
from pipeline.fan_out.plan import AffectedPerson
from pipeline.recording.people import PersonDraft, PersonResolver
from pipeline.recording.snapshot import RecordingStore

STORE = RecordingStore(
    id=1,
    name="acme",
    token_version=1,
    old_token_until=None,
    currency="USD",
    forward_also=(),
    forward_tests=False,
    record_only=False,
    connections=((1, 1),),
)


class Origin:
    event_id = 3


ORIGIN = Origin()


def affected(customer_id=None, email=None, *subjects):
    return AffectedPerson("customer", customer_id, email, subjects, {}, ())


@pytest.fixture
def known():
    return PersonDraft(STORE, None, "rory@example.com", id=7)


@pytest.fixture
def people(known):
    return PersonResolver({(1, "email", "rory@example.com"): known, (1, "order", "5"): known})


def test_a_person_is_found_by_what_is_theirs(people, known):
    assert people.find(STORE, affected(None, None, ("order", 5))) is known


def test_a_body_without_a_person_leads_to_none(people):
    assert people.find(STORE, affected(None, None, ("order", 6))) is None


def test_a_recipient_with_a_customer_id_is_newly_identified(people, known):
    people.find(STORE, affected(9, "rory@example.com"))

    assert (known.customer_id, known.is_changed, people.newly_identified) == (9, True, [known])


def test_a_new_person_is_found_by_the_next_hook_of_the_batch(people):
    new = people.find(STORE, affected(9, "bea@example.com"))

    assert people.find(STORE, affected(9)) is new
    assert (new.is_new, people.new_people, set(people.new_keys)) == (
        True,
        [new],
        {(1, "customer", "9"), (1, "email", "bea@example.com")},
    )


def test_attributes_that_stay_the_same_are_no_profile(known):
    fact = Fact("customer", "", {"first_name": "Rory"})

    assert known.update_attributes([fact], 5, ORIGIN)["first_name"] == "Rory"
    assert known.update_attributes([fact], 6, ORIGIN) is None


def test_an_attribute_that_is_gone_is_cleared(known):
    known.attributes = {"next_renewal_at": 4}

    assert known.update_attributes([], 5, ORIGIN)["next_renewal_at"] is None


def test_a_change_of_attributes_has_the_values_before_and_its_event(known):
    known.update_attributes([Fact("customer", "", {"first_name": "Rory", "city": "Austin"})], 5, ORIGIN)
    known.update_attributes([Fact("customer", "", {"first_name": "Rory", "last_name": "Receiver"})], 6, ORIGIN)
    known.update_attributes([Fact("customer", "", {"first_name": "Rob", "city": ""})], 7, ORIGIN)

    assert [(change.at, change.before) for change in known.attribute_changes] == [
        (5, {}),
        (6, {"last_name": None}),
        (7, {"first_name": "Rory", "city": "Austin"}),
    ]
    assert {change.origin for change in known.attribute_changes} == {ORIGIN}


def test_facts_that_are_only_noted_wait_for_a_profile(known):
    known.note([Fact("customer", "", {"first_name": "Rory"})], 5)

    assert (known.unsent_since, known.attributes, known.known_at) == (5, {}, 5)

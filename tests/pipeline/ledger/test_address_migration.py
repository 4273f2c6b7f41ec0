"""People whose addresses were stored in another form: found by both forms, merged where they were two."""

from __future__ import annotations

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, update

from pipeline.fan_out.gifts import Gift
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.migrations.versions import r0011_addresses
from pipeline.ledger.queries import find_people
from pipeline.ledger.schema import core
from tests.builders import RECIPIENT, customer, order
from tests.pipeline.recording.conftest import HookRecorder

OLD = f"\u200b{RECIPIENT}"  # as it was stored before addresses were normalized
DOTTED = ("i\u0307rem@example.com", "irem@example.com")


@pytest.fixture
def recorder(engine):
    return HookRecorder(engine)


def gift_for(address, number, **more):
    """An order as it was loaded then: its address was only trimmed and lowered."""
    return order(id=number, is_gift=True, order_gift_info={"id": 1, "gift_recipient_email": address, **more})


def migrated(recorder):
    with writing(recorder.engine) as conn, Operations.context(MigrationContext.configure(conn)):
        r0011_addresses.upgrade()


def person_of(recorder, address):
    with reading(recorder.engine) as conn:
        (found,) = find_people(conn, address)
    return found


def test_a_person_stored_under_an_old_form_is_found_by_both_forms(recorder):
    recorder.record_one("order_new", gift_for(OLD, 1))
    before = person_of(recorder, OLD).id

    migrated(recorder)

    assert {person_of(recorder, OLD).id, person_of(recorder, RECIPIENT).id} == {before}
    assert person_of(recorder, RECIPIENT).email == RECIPIENT


def test_the_next_event_finds_the_person_by_the_new_form(recorder):
    recorder.record_one("order_new", gift_for(OLD, 1))
    migrated(recorder)
    recorder.record_one("order_new", gift_for(RECIPIENT, 2))

    assert recorder.sent()[-1] == (RECIPIENT, "order_new")
    assert recorder.sent("profile")[-1][0] == RECIPIENT
    assert len(recorder.rows(core.Person)) == 2


def test_merged_people_keep_the_facts_and_events_of_both(recorder):
    recorder.record_one("order_new", gift_for(OLD, 1, gift_recipient_name="Rory Receiver"))
    recorder.record_one("order_new", gift_for(RECIPIENT, 2))
    with reading(recorder.engine) as conn:
        lost, kept = find_people(conn, OLD)  # an address is searched in both forms

    migrated(recorder)

    one = person_of(recorder, RECIPIENT)
    assert person_of(recorder, OLD).id == one.id == kept.id
    assert {event.id for event in one.events} == {event.id for event in (*lost.events, *kept.events)}
    subjects = {(fact.kind, fact.subject) for person in (lost, kept) for fact in person.facts}
    assert {(fact.kind, fact.subject) for fact in one.facts} == subjects
    assert {row.person_id for row in recorder.rows(core.Delivery) if row.message["email"] == OLD} == {kept.id}


def test_the_profile_of_merged_people_is_sent_again(recorder):
    recorder.record_one("order_new", gift_for(OLD, 1))
    recorder.record_one("order_new", gift_for(RECIPIENT, 2))
    migrated(recorder)

    untold = {row.id for row in recorder.rows(core.Person) if row.untold_since is not None}
    assert untold == {person_of(recorder, RECIPIENT).id}


def test_when_a_recipient_and_a_customer_are_merged_the_customer_stays(recorder):
    recorder.record_one("order_new", gift_for(RECIPIENT, 1))
    recorder.record_one("customer_new", customer(id=7099, email=OLD))

    migrated(recorder)

    assert {person_of(recorder, name).customer_id for name in (OLD, RECIPIENT, "7099")} == {7099}
    assert len({person_of(recorder, name).id for name in (OLD, RECIPIENT, "7099")}) == 1


def test_when_people_are_merged_the_newer_value_wins(recorder):
    recorder.record_one("customer_new", customer(id=7099, email=OLD, first_name="Newer"), at=9_000_000_000_000_000)
    recorder.record_one("order_new", gift_for(RECIPIENT, 1))
    with writing(recorder.engine) as conn:
        other = person_of(recorder, RECIPIENT).id
        fact = core.Fact.person_id == other, core.Fact.kind == "customer"
        data = {**conn.execute(select(core.Fact.data).where(*fact)).scalar_one(), "first_name": [5, "Older"]}
        conn.execute(update(core.Fact).where(*fact).values(data={**data, "last_name": [5, "Only here"]}))
    migrated(recorder)

    facts = {(one.kind, one.subject): one.data for one in person_of(recorder, "7099").facts}
    about = facts["customer", ""]
    assert (about["first_name"][1], about["email"][1]) == ("Newer", RECIPIENT)


def test_two_customers_are_not_merged(recorder):
    recorder.record_one("customer_new", customer(id=1, email=DOTTED[0]))
    recorder.record_one("customer_new", customer(id=2, email=DOTTED[1]))

    migrated(recorder)

    assert person_of(recorder, "1").id != person_of(recorder, "2").id


def test_a_stored_gift_names_its_recipient_in_the_new_form(recorder):
    recorder.record_one("order_new", gift_for(OLD, 1))
    migrated(recorder)

    assert {Gift(row.email).email for row in recorder.rows(core.Gift)} == {RECIPIENT}


def test_people_with_a_normal_address_are_left_alone(recorder):
    recorder.record_one("order_new", gift_for(RECIPIENT, 1))
    before = [recorder.rows(model) for model in (core.Person, core.PersonKey, core.Fact, core.Gift)]

    migrated(recorder)

    assert [recorder.rows(model) for model in (core.Person, core.PersonKey, core.Fact, core.Gift)] == before


def test_migrating_addresses_twice_changes_nothing(recorder):
    recorder.record_one("order_new", gift_for(OLD, 1))
    recorder.record_one("order_new", gift_for(DOTTED[0], 2))
    recorder.record_one("order_new", gift_for(DOTTED[1], 3))
    migrated(recorder)
    before = [recorder.rows(model) for model in (core.Person, core.PersonKey, core.Fact, core.Gift)]

    migrated(recorder)

    assert [recorder.rows(model) for model in (core.Person, core.PersonKey, core.Fact, core.Gift)] == before

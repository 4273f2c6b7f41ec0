"""People with many facts are recorded as if all their facts were read, but only those that a hook needs are."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from pipeline.fan_out import rollup
from pipeline.fan_out.attributes import build_attributes
from pipeline.fan_out.consent import ConsentRules
from pipeline.fan_out.facts import newest_time_us
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.retention.kinds import KINDS
from pipeline.ledger.schema import core
from pipeline.ledger.schema.rollups import FactRollup
from pipeline.recording import load, people
from pipeline.regulations.rows import empty_rows
from tests.builders import (
    HOUR,
    NOW,
    customer,
    order,
    shipment,
    subscription,
)


def order_and_box(recorder, number):
    day = f"2026-{1 + number // 28:02}-{1 + number % 28:02}T0"
    paid = order(id=8000 + number, placed_at=f"{day}1:00:00Z")
    box = shipment(id=9000 + number, shipped_at=f"{day}2:00:00Z", tracking_number=f"9400{number}")
    return recorder.hook("order_new", paid), recorder.hook("shipment_shipped", box)


@pytest.fixture
def bea(recorder, monkeypatch):
    """The recorder of a store with a customer who has 60 orders and boxes, and a rollup."""
    monkeypatch.setattr(people, "MIN_FACTS", 20)
    recorder.record(*(hook for number in range(60) for hook in order_and_box(recorder, number)))
    return recorder


@pytest.fixture
def loaded(monkeypatch):
    """How many facts each batch has loaded."""
    found, load_needed = [], load.load_needed_facts

    def note(conn, drafts, rollups, touched):
        load_needed(conn, drafts, rollups, touched)
        found.append(sum(len(draft.known) for draft in drafts.values()))

    monkeypatch.setattr(load, "load_needed_facts", note)
    return found


def assert_as_of_all_facts(recorder):
    """The stored attributes are those of all facts, and a rollup is stored."""
    with reading(recorder.engine) as conn:
        person = conn.execute(select(core.Person.__table__).where(core.Person.customer_id == 7001)).one()
        facts = conn.execute(select(core.Fact.__table__).where(core.Fact.person_id == person.id)).all()
    known = {(row.kind, row.subject): row.data for row in facts}
    assert person.attributes == build_attributes(known, "acme", "USD", ConsentRules())
    assert person.known_at == newest_time_us(known)


def test_a_hook_reads_as_many_facts_of_a_person_with_many_orders_as_of_one_with_few(bea, loaded):
    for number in range(60, 70):
        for hook in order_and_box(bea, number):
            bea.record(hook)
    bea.record_one("order_updated", order(id=8030, placed_at="2026-02-03T01:00:00Z", refunded_amount=3495))

    assert max(loaded) <= 15
    assert_as_of_all_facts(bea)


def test_a_customer_with_few_facts_has_no_rollup(recorder):
    recorder.record_one("order_new", order())

    assert recorder.rows(FactRollup) == []


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("order_updated", order(id=8003, placed_at="2026-01-04T01:00:00Z", financial_status="voided")),
        ("order_updated", order(id=8000, placed_at="2026-01-01T01:00:00Z", financial_status="voided")),
        ("shipment_shipped", shipment(id=9059, shipped_at="2026-01-01T00:00:00Z")),
        ("customer_new", customer(num_orders=99)),
        ("subscription_cancelled", subscription(status="cancelled")),
    ],
)
def test_any_change_gives_the_attributes_of_all_facts(bea, event, body):
    bea.record_one(event, body)

    assert_as_of_all_facts(bea)


def test_facts_older_than_what_is_known_change_nothing(bea):
    (before,) = [row.attributes for row in bea.rows(core.Person)]
    bea.record_one("order_updated", order(id=8003, total=1), at=NOW - HOUR)

    assert [row.attributes for row in bea.rows(core.Person)] == [before]


def test_a_program_that_knows_no_rollups_leaves_no_stale_one(bea):
    assert len(bea.rows(FactRollup)) == 1
    is_order = core.Fact.kind == "order", core.Fact.subject == "8030"
    with writing(bea.engine) as conn:
        data = conn.execute(select(core.Fact.data).where(*is_order)).scalar_one()
        conn.execute(update(core.Fact).where(*is_order).values(data={**data, "total": [NOW, 1]}))
    assert bea.rows(FactRollup) == []
    bea.record_one("order_new", order(id=8061))

    assert len(bea.rows(FactRollup)) == 1
    assert_as_of_all_facts(bea)


def test_a_rollup_of_another_version_is_not_read(bea, loaded):
    with writing(bea.engine) as conn:
        conn.execute(update(FactRollup).values(version=0, data={"of": "another"}))
    bea.record_one("order_new", order(id=8061))

    assert loaded[-1] > 100
    assert [row.version for row in bea.rows(FactRollup)] == [rollup.VERSION]


def test_an_erased_person_has_no_rollup(bea):
    with writing(bea.engine) as conn:
        empty_rows(conn, bea.rows(core.Person)[0].id)

    assert bea.rows(FactRollup) == []


def test_a_person_who_is_deleted_after_a_while_has_no_rollup(bea):
    (kind,) = [kind for kind in KINDS if kind.name == "people"]
    with writing(bea.engine) as conn:
        for table in (core.Delivery, core.EventPerson):
            conn.execute(table.__table__.delete())
        kind.delete(conn, [bea.rows(core.Person)[0].id], NOW + 10_000 * HOUR)

    assert (bea.rows(core.Person), bea.rows(FactRollup)) == ([], [])

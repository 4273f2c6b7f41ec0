"""The statements of an erasure and an export on PostgreSQL."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.regulations import Regulation
from pipeline.operations.replay import replay_delivery
from pipeline.regulations.apply import apply_regulations
from pipeline.regulations.export import export_person
from pipeline.regulations.people import find_person
from tests.builders import BUYER, RECIPIENT, order
from tests.pipeline.regulations.conftest import BEA_TEXTS, RORY_TEXTS


@pytest.fixture
def database_url(empty_postgres):
    return empty_postgres


def test_nothing_names_the_two_people_of_a_gift_and_all_counts_stay(lived_in):
    before = lived_in.counts()
    with writing(lived_in.engine) as conn:
        conn.execute(core.Delivery.__table__.update().where(core.Delivery.id == 1).values(status="dead", done_at=1))
    for text in (BUYER["email"], RECIPIENT):
        lived_in.erase(text, suppress=True, at_destinations=True)
    with writing(lived_in.engine) as conn:
        conn.execute(core.Delivery.__table__.delete().where(core.Delivery.kind == "forget"))
        replayed = replay_delivery(conn, 1, 1)

    assert [word for word in (*BEA_TEXTS, *RORY_TEXTS) if word in lived_in.stored_text()] == []
    assert (lived_in.counts(), replayed) == (before, False)


def test_a_suppressed_person_is_recognised_and_erased_again(lived_in):
    lived_in.erase(BUYER["email"], suppress=True)
    lived_in.record(lived_in.hook("order_new", order(id=555)))

    assert [row.recognised for row in lived_in.rows(Regulation)] == [1]
    assert apply_regulations(lived_in.eraser).people == 0


def test_an_export_has_the_events_and_the_facts(lived_in):
    with reading(lived_in.engine) as conn:
        document = export_person(conn, find_person(conn, lived_in.store, BUYER["email"]), lived_in.now())

    assert (len(document["events"]), len(document["dead_hooks"]), document["person"]["customer_id"]) == (7, 2, 7001)

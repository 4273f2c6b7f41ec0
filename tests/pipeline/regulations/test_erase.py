"""After an erasure nothing names the person, the other's data stays, and all counts are as before."""

from __future__ import annotations

import json
import shutil
import zlib

import pytest
from sqlalchemy import delete, update

from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import Actor
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import get_dead_letter
from pipeline.ledger.regulations import list_regulations
from pipeline.ledger.schema import core
from pipeline.ledger.schema.history import AttributeChange
from pipeline.ledger.schema.regulations import Regulation, RegulationDestination, RegulationIdentifier
from pipeline.operations.replay import replay_delivery
from pipeline.recording import write
from tests.builders import BUYER, NOW, RECIPIENT, customer, gift_info, gift_order, order, shipment
from tests.pipeline.regulations.conftest import BEA_TEXTS, BILL, RORY_TEXTS, STREET


@pytest.fixture
def database_url(migrated_sqlite, tmp_path):
    """SQLite; `test_erase_on_postgresql.py` runs the same statements there."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.mark.parametrize(("text", "gone"), [(BUYER["email"], BEA_TEXTS), (RECIPIENT, RORY_TEXTS)])
def test_nothing_names_an_erased_person_and_all_counts_stay(lived_in, text, gone):
    before = lived_in.counts()
    assert any(word in lived_in.stored_text() for word in gone)
    lived_in.erase(text)

    assert [word for word in gone if word in lived_in.stored_text()] == []
    assert lived_in.counts() == before


def test_an_address_is_found_in_the_data_of_events_that_are_not_compressed(ledger, monkeypatch):
    monkeypatch.setattr(write, "find_dictionary", lambda *_: None)
    ledger.record(ledger.hook("customer_new", customer()))
    ledger.record(ledger.hook("order_new", order(id=7, is_test=True, referred_by=BUYER["email"])))
    with writing(ledger.engine) as conn:
        conn.execute(delete(core.Body))
    ledger.erase(BUYER["email"])

    assert [word for word in BEA_TEXTS if word in ledger.stored_text()] == []


def test_the_others_data_stays(lived_in):
    lived_in.erase(BUYER["email"])
    text = lived_in.stored_text()

    assert [word for word in (RECIPIENT, "rory receiver", "else@example.com", "eve else") if word not in text] == []


def test_an_erased_recipient_leaves_the_buyer_as_they_were(lived_in):
    def buyer():
        return [(row.email, row.attributes) for row in lived_in.rows(core.Person) if row.email == BUYER["email"]]

    before = buyer()
    lived_in.erase(RECIPIENT)

    assert buyer() == before
    assert "1 oak road" in lived_in.stored_text()


def test_erasing_both_leaves_no_body_of_their_gift(lived_in):
    lived_in.erase(BUYER["email"])
    lived_in.erase(RECIPIENT)
    gifts = [row.data for row in lived_in.rows(core.Event) if row.subject_id in (7015, 7021, 7033) and row.subject]

    assert gifts == [{}] * len(gifts)
    assert [word for word in (*BEA_TEXTS, *RORY_TEXTS) if word in lived_in.stored_text()] == []


def test_open_messages_stop(lived_in):
    lived_in.erase(BUYER["email"])
    rows = [row for row in lived_in.rows(core.Delivery) if row.message["email"] is None]

    assert {(row.status, row.reason, row.done_at) for row in rows} == {("stopped", "erased", lived_in.now())}
    assert {row.status for row in lived_in.rows(core.Delivery) if row.message["email"] == RECIPIENT} == {"pending"}


def test_the_same_event_again_is_still_a_repeat(lived_in):
    lived_in.erase(BUYER["email"])
    recorded = lived_in.record(lived_in.hook("order_new", gift_order()))

    assert (recorded.events, recorded.duplicates, recorded.deliveries) == (0, 1, 0)


def test_an_erased_person_comes_back_as_a_new_one(lived_in):
    [old] = [row.id for row in lived_in.rows(core.Person) if row.email == BUYER["email"]]
    lived_in.erase(BUYER["email"])
    lived_in.record(lived_in.hook("order_new", order(id=555)))

    [new] = [row.id for row in lived_in.rows(core.Person) if row.email == BUYER["email"]]
    assert new > old


def test_a_suppressed_person_never_comes_back(lived_in):
    lived_in.erase(BUYER["email"], suppress=True)
    later = [order(id=555), order(id=556, customer=None, customer_id=7001), order(id=557, customer=customer(id=77))]
    lived_in.record(*(lived_in.hook("order_new", one) for one in later))
    lived_in.record(lived_in.hook("shipment_shipped", shipment(id=1, customer=None, ship_address=BILL)))

    assert [word for word in BEA_TEXTS if word in lived_in.stored_text()] == []
    assert [row.recognised for row in lived_in.rows(Regulation)] == [4]


def test_the_regulation_says_who_asked_and_what_was_emptied(lived_in):
    done = lived_in.erase("7001", actor=Actor("page", 12))
    with reading(lived_in.engine) as conn:
        [row] = list_regulations(conn)

    assert (row.id, row.kind, row.user_id, row.person_id, row.applied_at) == (
        1,
        "erase",
        12,
        done.person_id,
        lived_in.now(),
    )
    assert row.emptied == done.emptied
    assert row.emptied["dead_hooks_emptied"] == 2


def test_the_regulation_holds_no_identifier(lived_in):
    lived_in.erase(BUYER["email"])
    shown = [f"{row}" for model in (Regulation, RegulationIdentifier) for row in lived_in.rows(model)]

    assert [
        row for row in shown if "bea" in row.replace(row.split("'")[3] if "'" in row else "", "") or "@" in row
    ] == []


def test_erasing_again_changes_nothing(lived_in):
    lived_in.erase(BUYER["email"])
    before = lived_in.stored_text()
    again = lived_in.erase(BUYER["email"])

    assert (lived_in.stored_text(), again.emptied) == (before, {})


def test_platforms_are_asked_to_forget_every_identifier(lived_in):
    lived_in.erase(BUYER["email"], suppress=True, at_destinations=True)
    [message] = [row.message["data"] for row in lived_in.rows(core.Delivery) if row.kind == "forget"]

    assert message == {"mode": "suppress", "customer_ids": [7001], "emails": [BUYER["email"]]}
    assert [row.state for row in lived_in.rows(RegulationDestination)] == ["open"]


def test_a_person_whom_the_ledger_does_not_have_can_be_suppressed(lived_in):
    lived_in.erase("stranger@example.com", suppress=True, at_destinations=True)
    stranger = customer(id=5, email="Stranger@Example.com", name="Sam Stranger")
    lived_in.record(lived_in.hook("customer_new", stranger))

    assert [row.message["data"]["emails"] for row in lived_in.rows(core.Delivery) if row.kind == "forget"] == [
        ["stranger@example.com"]
    ]
    assert "sam stranger" not in lived_in.stored_text()


def test_an_emptied_dead_hook_cannot_be_replayed(lived_in):
    lived_in.erase(BUYER["email"])
    with reading(lived_in.engine) as conn:
        dead = [get_dead_letter(conn, "hook", row.id) for row in lived_in.rows(core.DeadHook)]

    assert [(one.raw, one.detail.get("emptied")) for one in dead][:2] == [(b"", "erased")] * 2
    assert b"else@example.com" in dead[2].raw


def test_an_emptied_message_cannot_be_replayed(lived_in):
    with writing(lived_in.engine) as conn:
        conn.execute(core.Delivery.__table__.update().values(status="dead", reason="x", done_at=1))
    lived_in.erase(BUYER["email"])
    with writing(lived_in.engine) as conn:
        replayed = {row.message["email"]: replay_delivery(conn, row.id, NOW) for row in lived_in.rows(core.Delivery)}

    assert replayed == {None: False, RECIPIENT: True, "else@example.com": True}


@pytest.mark.parametrize(
    ("text", "says"), [("nobody", "e-mail address"), ("bad@address", "no.*address|not an"), ("person:99", "no person")]
)
def test_what_names_no_person_is_refused(lived_in, text, says):
    with pytest.raises(Misconfigured, match=says):
        lived_in.erase(text)


def test_a_number_that_names_two_people_is_refused(lived_in):
    [rory] = [row.id for row in lived_in.rows(core.Person) if row.email == RECIPIENT]
    lived_in.record(lived_in.hook("customer_new", customer(id=rory, email="third@example.com")))

    with pytest.raises(Misconfigured, match="two people"):
        lived_in.erase(str(rory))
    assert lived_in.erase(f"person:{rory}").person_id == rory


def test_a_dead_hook_of_two_people_keeps_the_others_data(lived_in):
    unreadable = {**gift_order(ship_address=STREET), "id": "no number"}
    lived_in.record(lived_in.hook("order_new", unreadable))
    lived_in.erase(RECIPIENT)
    [dead] = [row for row in lived_in.rows(core.DeadHook) if row.reason == "invalid"]
    left = json.loads(zlib.decompress(dead.raw))

    assert (left["customer"]["email"], left["order_gift_info"]) == (BUYER["email"], {"id": 7017})
    assert (dead.detail["redacted"], "rory" in json.dumps(left).lower()) == ("erased", False)


def test_an_erased_customers_order_in_anothers_parcel_leaves_the_others_box(ledger):
    olive = {"id": 8001, "email": "olive@example.com", "first_name": "Olive"}
    boxes = [{"id": 1, "order": {"id": 11, "customer": olive}}, {"id": 2, "order": order(id=12)}]
    ledger.record(ledger.hook("order_new", order(id=12)))
    ledger.record(ledger.hook("shipment_shipped", {"id": 9, "customer": olive, "fulfillments": boxes}))
    ledger.erase(BUYER["email"])

    assert ledger.rows(core.Event)[-1].data["customer"]["first_name"] == "Olive"
    assert [word for word in BEA_TEXTS if word in ledger.stored_text()] == []


def test_a_giver_is_gone_from_what_a_recipients_attributes_were(ledger):
    zoe = {"id": 8001, "email": "zoe@example.com", "first_name": "Zoe", "last_name": "Else", "name": "Zoe Else"}
    later = order(id=8015, customer=customer(**zoe), customer_id=8001, is_gift=True, order_gift_info=gift_info())
    ledger.record(ledger.hook("order_new", gift_order(order_gift_info=gift_info(gift_message="Enjoy!"))))
    ledger.record(ledger.hook("order_new", later))
    before = [row.data for row in ledger.rows(AttributeChange) if "gift_sender_first_name" in row.data]
    ledger.erase(BUYER["email"])

    after = [row.data for row in ledger.rows(AttributeChange) if "gift_sender_first_name" in row.data]
    assert (before, after) == ([{"gift_sender_first_name": "Bea"}], [{"gift_sender_first_name": None}])
    assert "zoe" in ledger.stored_text()


def test_a_giver_whom_the_consent_rules_protect_is_not_named_once_another_is_erased(ledger):
    """Zoe is known from Marketplace alone, so a recipient's profile does not name her, not even in Bea's place."""
    with writing(ledger.engine) as conn:
        conn.execute(update(core.Store).values(marketplace_sources=["2"], storefront_sources=["1"]))
    zoe = {"id": 8001, "email": "zoe@example.com", "first_name": "Zoe", "last_name": "Else", "name": "Zoe Else"}
    hers = gift_order(id=8015, customer=customer(**zoe), customer_id=8001, source=2)
    ledger.record(ledger.hook("order_new", gift_order(source=1)))
    ledger.record(ledger.hook("order_new", hers))
    ledger.erase(BUYER["email"])

    assert [row.attributes for row in ledger.rows(core.Person) if "gift_sender_first_name" in row.attributes] == []
    assert [row.data for row in ledger.rows(core.Fact) if "Zoe" in json.dumps(row.data)] != []

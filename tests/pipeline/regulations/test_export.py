"""The document about a person has everything that is stored about them, and nothing that is only another's."""

from __future__ import annotations

import json
import shutil

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading
from pipeline.regulations.export import encode_bytes, export_person
from pipeline.regulations.people import find_person
from tests.builders import BUYER, NOW, RECIPIENT, customer, gift_info, gift_order, order

BILL = {"to": "Bea Buyer", "street": "1 Oak Road"}


@pytest.fixture
def database_url(migrated_sqlite, tmp_path):
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def sold(ledger):
    other = customer(id=9, email="else@example.com", name="Eve Else", first_name="Eve", last_name="Else")
    ledger.record(
        ledger.hook("customer_new", customer(addresses=[BILL])),
        ledger.hook("order_new", gift_order(bill_address=BILL, order_gift_info=gift_info(gift_message="Hello!"))),
        ledger.hook("order_new", order(id=7, is_test=True)),
        ledger.hook("order_new", order(id=99, customer=other, customer_id=9, note=f"a friend of {BUYER['email']}")),
        ledger.hook("order_new", {**order(id=98, customer=other, customer_id=9), "referred_by": BUYER["email"]}),
        ledger.hook("order_new", b'\xff{"email": "bea.buyer@example.com"'),
    )
    return ledger


def export(ledger, text):
    with reading(ledger.engine) as conn:
        return export_person(conn, find_person(conn, ledger.store, text), NOW)


def test_a_buyers_document_is_complete(sold):
    document = export(sold, BUYER["email"])

    assert (document["format"], document["version"], document["store"]) == ("cratewire-person", 1, "acme")
    assert document["person"]["customer_id"] == 7001
    assert {"kind": "email", "value": BUYER["email"]} in document["keys"]
    assert [(event["name"], event["roles"], event["outcome"]) for event in document["events"]] == [
        ("customer_new", ["customer"], "forwarded"),
        ("order_new", ["customer"], "forwarded"),
        ("order_new", [], "test"),
    ]
    assert json.loads(document["events"][0]["body"]["content"])["addresses"] == [BILL]
    assert [message["kind"] for message in document["messages"]] == ["profile", "event", "profile", "event"]
    assert [gift["email"] for gift in document["gifts"]["given"]] == [RECIPIENT]
    assert [hook["body"]["encoding"] for hook in document["dead_hooks"]] == ["base64"]
    fact = next(fact for fact in document["facts"] if fact["kind"] == "customer")
    assert fact["fields"]["last_name"]["value"] == "Buyer"
    assert fact["fields"]["last_name"]["event"] in [event["id"] for event in document["events"]]


def test_a_recipients_document_has_nothing_of_the_giver_but_the_gift(sold):
    document = export(sold, RECIPIENT)
    text = json.dumps(
        {name: part for name, part in document.items() if name not in ("messages", "gifts", "facts", "person")}
    )

    assert [word for word in ("Bea", "Buyer", "Oak Road", "3495") if word in text] == []
    assert [gift["data"]["message"] for gift in document["gifts"]["received"]] == ["Hello!"]
    assert [event["name"] for event in document["events"]] == ["order_new"]


def test_a_person_whom_the_store_does_not_have_has_no_document(sold):
    with pytest.raises(Misconfigured, match="no person"):
        export(sold, "stranger@example.com")


def test_an_erased_persons_document_has_ids_and_times_only(sold):
    person = sold.erase(BUYER["email"]).person_id
    document = export(sold, f"person:{person}")

    assert [(event["data"], event["body"]) for event in document["events"] if "customer" in event["roles"]][:1] == [
        ({}, None)
    ]
    assert "bea" not in json.dumps(document).lower()
    assert [row["kind"] for row in document["regulations"]] == ["erase"]


@pytest.mark.parametrize(("raw", "encoding"), [("é".encode(), "utf-8"), (b"\xff", "base64"), (b"", "utf-8")])
def test_bytes_are_text_where_they_can_be(raw, encoding):
    assert encode_bytes(raw)["encoding"] == encoding

"""Whatever the history and the order of its hooks: nothing of a withheld person is ever in a message."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from pipeline.core.consent import COMMAND_LINE
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.operations.consent import set_marketplace_policy
from tests.pipeline.recording.test_mixed_batches import make_recorder

SHOP, MARKET = 1, 2
PEOPLE = range(4)
_numbers = count(1)


def email(person: int) -> str:
    return f"p{person}@example.com"


def shown(person: int) -> dict[str, Any]:
    name = f"Name{person}"
    return {"id": 7000 + person, "email": email(person), "first_name": name, "last_name": f"Last{person}"}


def bought(person: int, source: int | None, recipient: int | None, number: int) -> dict[str, Any]:
    fields = {"id": number, "customer": shown(person), "customer_id": 7000 + person, "financial_status": "paid"}
    fields |= {} if source is None else {"source": source}
    if recipient is None or recipient == person:
        return fields
    info = {"gift_recipient_email": email(recipient), "gift_recipient_name": f"Name{recipient}"}
    home = {"to": f"Last{recipient}", "street": "1 Street"}
    return {
        **fields,
        "is_gift": True,
        "order_gift_info": {**info, "gift_message": f"Word{person}"},
        "ship_address": home,
    }


def hook(kind: str, person: int, source: int, recipient: int | None) -> tuple[str, dict[str, Any]]:
    number = next(_numbers)
    order = bought(person, source, recipient, number)
    if kind == "order_new":
        return kind, order
    if kind == "transaction_new":
        return kind, {"transaction": {"id": number, "result": "captured", "total": 1}, "order": order}
    if kind == "customer_new":
        return kind, shown(person)
    if kind == "shipment_shipped":
        return kind, {"id": number, "customer": shown(person), "fulfillments": [{"id": number, "order": order}]}
    names_source = kind == "subscription_new"
    body = {"id": number, "customer": shown(person), "end_date": "2026-04-15T00:00:00Z"}
    info = {} if recipient in (None, person) else {"subscription_gift_info": order["order_gift_info"]}
    return kind, body | info | ({"source": source} if names_source else {})


KINDS = (
    "order_new",
    "transaction_new",
    "customer_new",
    "shipment_shipped",
    "subscription_new",
    "subscription_cancelled",
)
ACTS = st.tuples(
    st.sampled_from(KINDS),
    st.sampled_from(PEOPLE),
    st.sampled_from([SHOP, MARKET, MARKET]),
    st.none() | st.sampled_from(PEOPLE),
)
SHOWS_ORIGIN = {"order_new", "transaction_new", "shipment_shipped", "subscription_new"}


def known_at_the_storefront(acts) -> set[int]:
    """The people whom these hooks make known there: buyers, and the recipients of their gifts."""
    found = set()
    for kind, person, source, recipient in acts:
        if source == SHOP and kind in SHOWS_ORIGIN:
            found.add(person)
            if recipient is not None:
                found.add(recipient)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ledgers")


def start(migrated_sqlite, folder, **settings_):
    recorder = make_recorder(migrated_sqlite, folder)
    with writing(recorder.engine) as conn:
        conn.execute(update(core.Store).values(marketplace_sources=["2"], storefront_sources=["1"], **settings_))
    return recorder


def texts(recorder) -> list[str]:
    return [json.dumps(row.message) for row in recorder.rows(core.Delivery)]


def marks(person: int) -> tuple[str, ...]:
    return email(person), f"Name{person}", f"Last{person}", f"Word{person}"


@settings(max_examples=30)
@given(batches=st.lists(st.lists(ACTS, min_size=1, max_size=3), min_size=1, max_size=5))
def test_no_message_holds_anything_of_a_withheld_person(migrated_sqlite, folder, batches):
    recorder = start(migrated_sqlite, folder)
    happened: list[Any] = []
    seen = 0
    for batch in batches:
        happened += batch
        recorder.record(*(recorder.hook(*hook(*act)) for act in batch))
        new, known = texts(recorder)[seen:], known_at_the_storefront(happened)
        seen += len(new)
        assert [m for person in PEOPLE if person not in known for m in marks(person) for text in new if m in text] == []
    recorder.engine.dispose()


@settings(max_examples=25)
@given(before=st.lists(ACTS, max_size=5), after=st.lists(ACTS, min_size=1, max_size=5))
def test_after_a_storefront_order_every_event_of_a_person_is_sent(migrated_sqlite, folder, before, after):
    recorder = start(migrated_sqlite, folder)
    for act in before:
        recorder.record_one(*hook(*act))
    recorder.record_one(*hook("order_new", 0, SHOP, None))
    already = len(recorder.sent())
    for act in after:
        recorder.record_one(*hook(*act))
    names = [kind for kind, person, _, _ in after if person == 0]

    # A registration is one event, however often it is reported.
    got = [name for to, name in recorder.sent()[already:] if to == email(0)]
    wanted = [name for name in names if name != "customer_new"]
    of_others = [kind for kind, person, _, recipient in after if person != 0 and recipient == 0]
    assert len([name for name in got if name != "customer_new"]) >= len(wanted)
    assert all(got.count(name) >= wanted.count(name) for name in wanted)
    assert len(got) <= len(names) + len(of_others)
    recorder.engine.dispose()


@settings(max_examples=15)
@given(acts=st.lists(ACTS, min_size=1, max_size=6))
def test_a_stricter_policy_leaves_no_message_of_a_withheld_person_waiting(migrated_sqlite, folder, acts):
    recorder = start(migrated_sqlite, folder, marketplace_policy="forward")
    for act in acts:
        recorder.record_one(*hook(*act))
    with writing(recorder.engine) as conn:
        set_marketplace_policy(conn, 1, "withhold", COMMAND_LINE, 1)

    known = known_at_the_storefront(acts)
    waiting = {row.message["email"] for row in recorder.rows(core.Delivery) if row.status == "pending"}
    assert waiting <= {email(person) for person in known}
    recorder.engine.dispose()

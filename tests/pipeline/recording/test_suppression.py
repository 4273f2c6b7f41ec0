"""A suppressed person is recognised before anything is written; what is another person's is recorded as usual."""

from __future__ import annotations

import json
import shutil
from uuid import uuid4

import pytest

from pipeline.core.errors import BadHook, Misconfigured
from pipeline.core.hooks import build_failed_hook
from pipeline.infra.compression import decompress
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.regulations import SUPPRESS, add_regulation, ensure_hasher
from pipeline.ledger.schema import core
from pipeline.ledger.schema.all_tables import list_all_tables
from pipeline.ledger.schema.regulations import Regulation
from pipeline.recording.api_page import ApiPage, record_api_page
from pipeline.recording.batch import record_batch
from pipeline.recording.load_stores import load_stores_by_name
from tests.builders import BUYER, NOW, RECIPIENT, customer, gift_info, gift_order, order, shipment, subscription

KEYS = ("a-secret-key",)
BEA = (("email", BUYER["email"]), ("customer", "7001"))
NAMES = ("bea buyer", "'bea'", '"bea"', "bea.buyer", "buyer@")
RORY = (("email", RECIPIENT),)


@pytest.fixture
def database_url(migrated_sqlite, tmp_path):
    """SQLite alone: the erasure's tests run the same statements on PostgreSQL."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path}/ledger.db"


def suppress(engine, *keys, kind=SUPPRESS, secret_keys=KEYS):
    with writing(engine) as conn:
        hasher = ensure_hasher(conn, secret_keys, b"r" * 32, "a-key", NOW)
        digests = [(key_kind, hasher.hash_new("acme", key_kind, value)) for key_kind, value in keys]
        values = {"uid": uuid4().hex, "store_id": 1, "person_id": None, "kind": kind, "user_id": None}
        return add_regulation(conn, {**values, "at_destinations": False}, digests, NOW)


def record(recorder, *hooks, failed=(), secret_keys=KEYS, raws=None):
    raws = raws or {hook["entry_id"]: (json.dumps(hook["data"]).encode(), None) for hook in hooks}
    with writing(recorder.engine) as conn:
        return record_batch(conn, list(hooks), list(failed), raws, token=None, now=NOW + 1, secret_keys=secret_keys)


def everything(engine):
    with reading(engine) as conn:
        found = {table.name: [tuple(row) for row in conn.execute(table.select())] for table in list_all_tables()}
    found = {name: rows for name, rows in found.items() if not name.startswith("regulation")}  # hexadecimal
    found["bodies"] = [(row[0], decompress(row[1])) for row in found["bodies"]]
    found["dead_hooks"] += [decompress(part) for row in found["dead_hooks"] for part in row if isinstance(part, bytes)]
    return str(found).lower()


@pytest.mark.parametrize(
    ("event", "data"),
    [
        ("customer_new", customer(email="another@example.com")),
        ("customer_new", customer(id=9)),
        ("order_new", order()),
        ("order_new", order(is_test=True)),
        ("subscription_renewed", subscription()),
        ("shipment_shipped", shipment(ship_address={"to": "Bea Buyer"})),
    ],
)
def test_a_suppressed_persons_event_is_known_and_empty(recorder, event, data):
    suppress(recorder.engine, *BEA)
    hook = recorder.hook(event, data)
    recorded = record(recorder, hook)

    [row] = recorder.rows(core.Event)
    assert (row.outcome, row.data, row.unknown, row.subject_id) == ("suppressed", {}, [], data["id"])
    assert recorded.outcomes == {(event, "suppressed"): 1}
    assert [word for word in (*NAMES, "another@") if word in everything(recorder.engine)] == []
    assert [recorder.rows(table) for table in (core.Person, core.Body, core.Delivery, core.Fact)] == [[]] * 4


def test_the_same_event_again_is_a_repeat(recorder):
    suppress(recorder.engine, *BEA)
    for _ in range(2):
        record(recorder, recorder.hook("order_new", order()))

    assert [row.duplicates for row in recorder.rows(core.Event)] == [1]


def test_a_regulation_counts_what_it_recognises(recorder):
    regulation_id = suppress(recorder.engine, *BEA)
    record(recorder, recorder.hook("order_new", order()), recorder.hook("customer_new", customer()))

    [row] = recorder.rows(Regulation)
    assert (row.id, row.recognised, row.recognised_at) == (regulation_id, 2, NOW + 1)


def test_a_box_that_names_only_its_subscription_is_recognised(recorder):
    suppress(recorder.engine, ("subscription", "7021"))
    record(recorder, recorder.hook("shipment_shipped", shipment(customer=None, ship_address={"to": "Bea Buyer"})))

    assert [row.outcome for row in recorder.rows(core.Event)] == ["suppressed"]
    assert "bea buyer" not in everything(recorder.engine)


def test_a_suppressed_buyers_gift_still_reaches_its_recipient(recorder):
    suppress(recorder.engine, *BEA)
    record(recorder, recorder.hook("order_new", gift_order()))

    [row] = recorder.rows(core.Event)
    assert (row.outcome, recorder.sent()) == ("forwarded", [(RECIPIENT, "order_new")])
    assert [note for note in row.notes if note["code"] == "suppressed"] == [{"code": "suppressed", "part": "buyer"}]
    assert [word for word in NAMES if word in everything(recorder.engine)] == []


def test_a_suppressed_recipient_costs_the_buyer_nothing(recorder):
    suppress(recorder.engine, *RORY)
    record(recorder, recorder.hook("order_new", gift_order()))

    assert recorder.sent() == [(BUYER["email"], "order_new")]
    assert [word for word in ("rory", "receiver") if word in everything(recorder.engine)] == []


def test_a_gift_between_two_suppressed_people_is_empty(recorder):
    suppress(recorder.engine, *BEA)
    suppress(recorder.engine, *RORY)
    record(recorder, recorder.hook("order_new", gift_order()))

    assert [(row.outcome, row.data) for row in recorder.rows(core.Event)] == [("suppressed", {})]


def test_a_box_of_a_gift_is_redacted_for_a_recipient_whom_it_does_not_name(recorder):
    suppress(recorder.engine, *RORY, ("gift_subscription", "7021"))
    record(
        recorder, recorder.hook("shipment_shipped", shipment(ship_address={"to": "Rory Receiver", "city": "Austin"}))
    )

    assert recorder.sent() == [(BUYER["email"], "shipment_shipped")]
    assert [word for word in ("rory", "austin") if word in everything(recorder.engine)] == []


def test_an_address_in_a_field_that_no_schema_reads_is_recognised(recorder):
    suppress(recorder.engine, *RORY)
    hook = recorder.hook("order_new", order())
    raw = json.dumps({**hook["data"], "referred_by": RECIPIENT.upper()}).replace("@", "\\u0040").encode()
    record(recorder, hook, raws={hook["entry_id"]: (raw, None)})

    assert "receiver" not in everything(recorder.engine)
    assert recorder.sent() == [(BUYER["email"], "order_new")]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"email": "BEA.BUYER@example.com", "name": "Bea',
        b"email=bea.buyer%40example.com&x",
        b'{"customer": {"id": 7001}}',
    ],
)
def test_a_dead_hook_that_names_a_suppressed_person_has_no_bytes(recorder, raw):
    suppress(recorder.engine, *BEA)
    hook = build_failed_hook(recorder.hook("order_new", {}), "decode", BadHook("bad_json", {"at": 1}))
    recorded = record(recorder, failed=[hook], raws={hook["entry_id"]: (raw, None)})

    [row] = recorder.rows(core.DeadHook)
    assert (recorded.dead, row.reason, row.detail) == (1, "bad_json", {"emptied": "suppressed"})
    assert decompress(row.raw) == b""


def test_what_a_recognised_hook_says_of_them_is_recognised_later(recorder):
    suppress(recorder.engine, *BEA)
    record(recorder, recorder.hook("subscription_new", subscription(customer=customer(email="new@example.com"))))
    record(recorder, recorder.hook("shipment_shipped", shipment(customer=None)))
    record(recorder, recorder.hook("checkout_failed", {"customer": {"email": "new@example.com"}}))

    assert [row.outcome for row in recorder.rows(core.Event)] == ["suppressed"] * 3


def test_another_persons_hooks_are_recorded_whole(recorder):
    suppress(recorder.engine, *BEA)
    other = order(id=8, customer=customer(id=9, email="else@example.com"), customer_id=9)
    record(recorder, recorder.hook("order_new", other))

    assert [(row.data, row.outcome) for row in recorder.rows(core.Event)] == [(other, "forwarded")]


def test_a_person_who_was_only_erased_is_recorded_again(recorder):
    suppress(recorder.engine, *BEA, kind="erase")
    record(recorder, recorder.hook("order_new", order()))

    assert recorder.sent() == [(BUYER["email"], "order_new")]


def test_a_page_of_the_api_does_not_bring_them_back(recorder):
    suppress(recorder.engine, *BEA)
    page = ApiPage(
        "customers", [customer(), customer(id=9, email="else@example.com", name=None)], NOW, 1, sends_profiles=True
    )
    with writing(recorder.engine) as conn:
        store = load_stores_by_name(conn, ["acme"])["acme"]
        new = record_api_page(conn, store, page, NOW, KEYS)

    assert (new, [row.email for row in recorder.rows(core.Person)]) == (2, ["else@example.com"])


def test_nothing_is_recorded_while_no_key_opens_the_hashes(recorder):
    suppress(recorder.engine, *BEA)

    with pytest.raises(Misconfigured, match="CRATEWIRE_SECRET_KEY"):
        record(recorder, recorder.hook("order_new", order()), secret_keys=("another-key",))
    assert recorder.rows(core.Event) == []


def test_a_rotated_secret_key_recognises_them_still(recorder):
    suppress(recorder.engine, *BEA)
    record(recorder, recorder.hook("order_new", order()), secret_keys=("a-new-key", *KEYS))

    assert [row.outcome for row in recorder.rows(core.Event)] == ["suppressed"]


def test_a_gift_to_a_suppressed_person_with_a_changed_buyer_is_not_learned(recorder):
    suppress(recorder.engine, *RORY)
    record(recorder, recorder.hook("order_new", gift_order(order_gift_info=gift_info(id=1))))

    assert recorder.rows(core.Gift) == []


OLIVE = {"id": 8001, "email": "olive@example.com", "first_name": "Olive", "last_name": "Other"}


@pytest.mark.parametrize("keys", [BEA, (*BEA, ("order", "12"))])
def test_a_suppressed_customers_order_in_anothers_parcel_costs_the_other_nothing(recorder, keys):
    suppress(recorder.engine, *keys)
    boxes = [{"id": 1, "order": {"id": 11, "customer": OLIVE}}, {"id": 2, "order": order(id=12)}]
    record(recorder, recorder.hook("shipment_shipped", {"id": 9, "customer": OLIVE, "fulfillments": boxes}))
    record(recorder, recorder.hook("order_new", order(id=20, customer=OLIVE)))

    assert [row.outcome for row in recorder.rows(core.Event)] == ["forwarded", "forwarded"]
    assert [name for name in NAMES if name in everything(recorder.engine)] == []


def test_whom_a_giver_chooses_instead_of_a_suppressed_recipient_is_not_suppressed(recorder):
    suppress(recorder.engine, *RORY, ("gift_subscription", "5"))
    changed = gift_info(gift_recipient_email=OLIVE["email"], gift_recipient_name="Olive Other")
    record(recorder, recorder.hook("subscription_updated", subscription(id=5, subscription_gift_info=changed)))
    record(recorder, recorder.hook("order_new", order(id=20, customer=OLIVE)))

    assert recorder.rows(core.Event)[-1].outcome == "forwarded"

"""One field that cannot be read costs an event only if it says what happened, or to whom.

Every field of every sample hook is replaced with what nothing can be read from, one after the other.
"""

from __future__ import annotations

import copy
import json

import pytest

from pipeline.events.catalogue import EVENTS
from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from pipeline.recording.batch import record_batch
from tests.builders import HOUR, NOW
from tests.schemas.samples import NAMES, sample

LATER = NOW + 10_000 * HOUR  # after every time in the samples
JUNK = ({"junk": [1]}, 5.5)  # no text or number is the first, no object the second
FREE = {"_md", "cart", "coupons", "logs", "products", "metadata"}  # whatever stands in these is handed on as it is
PEOPLE = {"customer", "gift_sender", "order_gift_info", "subscription_gift_info", "received_gift", "sent_gift"}


def places(body, path=()):
    """The path of every value of a body, those of objects and lists too."""
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def replaced(body, path, junk):
    changed = copy.deepcopy(body)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    return changed


def at(body, path):
    for key in path:
        body = body[key]
    return body


def says_who(path):
    keys = [key for key in path if isinstance(key, str)]
    if FREE & set(keys):
        return False
    in_customer = len(keys) > 1 and keys[-2] in ("customer", "gift_sender")
    return keys[-1] in ("email", "gift_recipient_email", "customer_id") or (in_customer and keys[-1] == "id")


def says_what(event, path):
    row = EVENTS[event]
    keys = [key for key in path if isinstance(key, str)]
    bare = keys[1:] if keys[0] == row.at else keys
    return row.subject is not None and bare in [["id"], *([name] for name in row.identity)]


def holds_who_or_what(event, path):
    """Whether an object is where a person or the subject stands."""
    row = EVENTS[event]
    keys = [key for key in path if isinstance(key, str)]
    leads_to_buyer = any(buyer.startswith(".".join(keys)) for buyer in row.buyer)
    return bool(PEOPLE & {keys[-1]}) or keys == [row.at] or leads_to_buyer


def changed_bodies(name, junk):
    """(path, body) for every field that the junk is no value of."""
    body = sample(name)
    for path in places(body):
        is_object = isinstance(at(body, path), dict | list)
        if is_object is (junk == JUNK[1]) and not isinstance(path[-1], int):
            yield path, replaced(body, path, junk)


def loaded(event, bodies, stores):
    entries = [
        InboxEntry(f"r{n}", store, 1, event, LATER, json.dumps(body).encode(), None, entry_id=f"{n}-0")
        for n, (body, store) in enumerate(zip(bodies, stores, strict=True))
    ]
    return validate_batch(decode_batch(entries, 1, lambda: LATER), lambda: LATER)


@pytest.mark.parametrize("junk", JUNK, ids=["no value", "no object"])
@pytest.mark.parametrize("name", NAMES)
def test_what_says_who_or_what_is_strict_and_nothing_else_is(name, junk):
    event = name.partition("__")[0]
    paths, bodies = zip(*changed_bodies(name, junk), strict=True) if [*changed_bodies(name, junk)] else ((), ())

    found = loaded(event, bodies, ["acme"] * len(bodies))

    strict = says_who if junk == JUNK[0] else lambda path: holds_who_or_what(event, path)
    expected = {path for path in paths if strict(path) or (junk == JUNK[0] and says_what(event, path))}
    dead = {paths[int(one["receipt"][1:])] for one in found["failed"]}
    assert dead == expected
    assert {one["reason"] for one in found["failed"]} <= {"invalid"}


@pytest.mark.parametrize("name", NAMES)
def test_an_event_with_a_side_field_that_cannot_be_read_is_recorded_and_forwarded(recorder, name):
    event = name.partition("__")[0]
    whole = sample(name)
    cases = [(path, body) for junk in JUNK for path, body in changed_bodies(name, junk)]
    names = [f"store-{n}" for n in range(len(cases) + 1)]
    for number, store in enumerate(names, start=2):
        recorder.add_store(number, store)
    recorder.change_store(
        forward_tests=True, marketplace_policy="forward"
    )  # whether it is a test may be what cannot be read
    found = loaded(event, [whole, *(body for _, body in cases)], names)

    with writing(recorder.engine) as conn:
        recorded = record_batch(conn, found["hooks"], [], {}, token=None, now=LATER)

    rows = recorder.rows(core.Event)
    assert recorded.events == len(found["hooks"])
    assert {row.outcome for row in rows} == {rows[0].outcome}
    assert len({row.store_id for row in recorder.rows(core.Delivery) if row.kind == "event"}) in (0, len(rows))


def test_the_event_keeps_which_fields_were_set_aside_and_why_and_never_what_stood_there(recorder):
    body = {**sample("order_new__gift"), "total": "s3cret", "is_renewal": "s3cret"}
    recorder.record(*loaded("order_new", [body], ["acme"])["hooks"])

    (row,) = recorder.rows(core.Event)
    assert [note for note in row.notes if note["code"] == "field_set_aside"] == [
        {"code": "field_set_aside", "field": "is_renewal", "reason": "is not true or false"},
        {"code": "field_set_aside", "field": "total", "reason": "is not an amount (3495 or 34.95)"},
    ]
    assert "s3cret" not in str(row)


def test_a_hook_with_ever_so_many_bad_fields_names_some_and_counts_the_rest(recorder):
    body = {**sample("order_new__gift"), "transactions": [{"total": "x"}] * 1_000}
    recorder.record(*loaded("order_new", [body], ["acme"])["hooks"])

    (row,) = recorder.rows(core.Event)
    aside = [note for note in row.notes if note["code"] == "field_set_aside"]
    assert (len(aside), aside[-1]) == (51, {"code": "field_set_aside", "more": 950})


# What clients of the live API and merchants' own scripts were seen to send.
# (sample, path, value, what is read of it; None: nothing, so that the event says why)
SEEN = (
    ("subscription_new__gift", ("product", "flat_ship_price"), 5.95, 595),
    ("subscription_new__gift", ("product_instance", "price"), 34.95, 3495),
    ("subscription_new__gift", ("end_date",), "2026-04-14T24:00:00Z", "2026-04-15T00:00:00Z"),
    ("subscription_new__gift", ("autorenew",), "perhaps", None),
    ("subscription_new__gift", ("start_date",), "2026-13-01", None),
    ("subscription_new__gift", ("product", "ship_weight"), "heavy", None),
    ("subscription_new__gift", ("term", "num_cycles"), "three", None),
    ("customer_new__full", ("total_revenue",), "12.50", 1250),
    ("customer_new__full", ("num_orders",), "many", None),
    ("order_new__gift", ("total",), "34.95", 3495),
    ("order_new__gift", ("total",), "$34.95", None),
    ("order_new__gift", ("placed_at",), "yesterday", None),
    ("order_new__gift", ("is_gift",), "no", False),
    ("order_new__gift", ("is_gift",), "sometimes", None),
)


def test_a_side_field_as_it_was_seen_costs_neither_the_profile_nor_the_event(recorder):
    for number in range(len(SEEN)):
        recorder.add_store(number + 2, f"store-{number}")
    recorder.change_store(marketplace_policy="forward")  # the samples show sources
    for number, (name, path, value, _) in enumerate(SEEN):
        body = replaced(sample(name), path, value)
        recorder.record(*loaded(name.partition("__")[0], [body], [f"store-{number}"])["hooks"])

    events, deliveries = recorder.rows(core.Event), recorder.rows(core.Delivery)
    fields = [[note["field"] for note in row.notes if note["code"] == "field_set_aside"] for row in events]
    assert fields == [[] if read is not None else [".".join(path)] for _, path, _, read in SEEN]
    shown = [at(row.data, path) for row, (_, path, _, read) in zip(events, SEEN, strict=True) if read is not None]
    assert shown == [read for _, _, _, read in SEEN if read is not None]
    for row in events:
        assert {"profile", "event"} <= {one.kind for one in deliveries if one.store_id == row.store_id}

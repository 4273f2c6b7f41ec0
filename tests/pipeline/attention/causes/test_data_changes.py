"""A change in the data is one item for each event, with its first example, until a person takes it as usual."""

from __future__ import annotations

from pipeline.attention.actions import perform
from pipeline.attention.causes import CAUSES
from pipeline.attention.causes.data_changes import KEYS, RATE
from pipeline.attention.listing import find_attention_items
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import list_open_alarms
from pipeline.ledger.monitoring.data_changes import load_usual_since, open_change

WATCHED = [cause for cause in CAUSES if cause.name in (RATE, KEYS)]


def change(attention, kind, **values):
    with writing(attention.engine) as conn:
        open_change(conn, attention.store.id, "order_new", kind, attention.clock, **values)


def listed(attention):
    return find_attention_items(attention.context, WATCHED)


def press(attention):
    attention.sweep()
    with reading(attention.engine) as conn:
        [alarm] = list_open_alarms(conn)
    return perform(attention.context, "take_as_usual", alarm, COMMAND_LINE_ACTOR)


def test_the_keys_of_an_event_are_one_item_with_its_first_example(attention):
    change(attention, "new_key", key="gift_wrap", now="text", event_id=7)
    change(attention, "retyped_key", key="total", was="number", now="text", event_id=8)
    change(attention, "vanished_key", key="tax", was="number", event_id=9)

    [item] = listed(attention)
    says = "acme: the data of order_new has changed: gift_wrap is new (text), total is text, was number, tax is missing"
    assert (item.headline, item.facts["event"]) == (says, "7")


def test_a_fall_says_what_came_and_what_is_usual(attention):
    change(attention, "rate_drop", was="42", now="21")

    [item] = listed(attention)
    assert "order_new comes less often than usual: 21 since" in item.headline
    assert "where 42 are usual" in item.headline


def test_what_is_taken_as_usual_is_over(attention):
    change(attention, "new_key", key="gift_wrap", now="text", event_id=7)

    assert press(attention) == "The data of order_new is taken as usual as it is now."
    assert listed(attention) == []


def test_a_rate_that_is_taken_as_usual_is_learned_from_then_on(attention):
    change(attention, "rate_surge", was="20", now="60")

    assert press(attention) == "How often order_new comes is learned anew from now on, for 30 days."
    with reading(attention.engine) as conn:
        assert load_usual_since(conn, attention.store.id) == {"order_new": attention.clock}

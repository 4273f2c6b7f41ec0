"""A new, vanished or retyped key is reported once, with its first example; ordinary hooks report nothing."""

from __future__ import annotations

import json
from random import Random

import pytest

from bench.hooks import make_hooks
from pipeline.monitoring.key_changes import DAY_US, MAX_KEYS, EventKeys, KnownKey, SeenBody, describe_keys

DAYS_US = 60 * DAY_US


def order(**more):
    return {"id": 1, "total": 10, "customer": {"id": 2, "email": "mila@example.com"}, **more}


def learned(bodies=200, **body):
    keys = EventKeys(since=0)
    for number in range(bodies):
        assert keys.learn(SeenBody(number, number * DAYS_US // bodies, order(**body))) == []
    return keys


def learn(keys, body, unknown=(), number=1000, at=DAYS_US):
    return [
        (change.kind, change.key, change.was, change.now) for change in keys.learn(SeenBody(number, at, body, unknown))
    ]


def test_a_key_that_no_schema_names_is_reported_once_with_its_event():
    keys = learned()
    body = order(gift_wrap="red")

    [change] = keys.learn(SeenBody(77, DAYS_US, body, ["gift_wrap"]))
    assert (change.kind, change.key, change.event_id, change.now) == ("new_key", "gift_wrap", 77, "text")
    assert learn(keys, body, ["gift_wrap"]) == []


def test_a_key_that_a_schema_names_is_none():
    assert learn(learned(), order(refunded_at="2026-03-01")) == []


def test_a_key_in_a_list_is_named_without_its_index():
    keys = learned(items=[{"sku": "a"}])

    assert learn(keys, order(items=[{"sku": "a", "lot": 3}]), ["items.0.lot"]) == [
        ("new_key", "items.lot", "", "number")
    ]


def test_a_value_of_another_type_is_reported_once():
    keys = learned()

    assert learn(keys, order(total="10")) == [("retyped_key", "total", "number", "text")]
    assert learn(keys, order(total="10")) == []


def test_null_is_of_any_type():
    assert learn(learned(), order(total=None)) == []


def test_a_key_that_was_always_there_is_missed_after_a_few_bodies_and_once():
    keys = learned()
    found = [change for number in range(20) for change in learn(keys, {"id": 1, "total": 10}, at=DAYS_US + number)]

    assert found == [("vanished_key", "customer", "object", "")]


def test_it_is_over_when_the_key_comes_again():
    keys = learned()
    for number in range(20):
        learn(keys, {"id": 1, "customer": {"id": 2, "email": "x"}}, at=DAYS_US + number)
    learn(keys, order())

    assert keys.returned == {"total"}


def test_a_key_that_comes_now_and_then_is_not_missed():
    keys = EventKeys(since=0)
    rng = Random(3)
    bodies = [order(note="x") if rng.random() < 0.5 else order() for _ in range(400)]
    for number, body in enumerate(bodies):
        keys.learn(SeenBody(number, number * DAYS_US // 400, body))

    assert [change for number in range(30) for change in learn(keys, order(), at=DAYS_US + number * DAY_US)] == []


def test_while_an_event_is_learned_nothing_is_a_change():
    keys = EventKeys(since=0)
    found = [learn(keys, order(**{f"key_{n}": n}), [f"key_{n}"], at=n * DAY_US // 10) for n in range(200)]

    assert [change for changes in found for change in changes] == []


def test_what_a_person_may_have_typed_as_a_key_is_not_kept():
    found, _ = describe_keys({"answers": {"Mila Šimůnek": "yes", "mila@example.com": "no", "7093400011": 1}})

    assert set(found) == {"answers", "answers.*"}


def test_a_body_of_ten_thousand_keys_is_cut():
    keys = learned()
    learn(keys, {f"key_{number}": 1 for number in range(10_000)})

    assert len(keys.keys) <= MAX_KEYS


@pytest.mark.parametrize("body", [{}, {"a": [[{"b": 1}]]}, {"a": {"b": {"c": None}}}])
def test_it_is_stored_and_read_again(body):
    keys = EventKeys(since=0)
    keys.learn(SeenBody(1, 5, body))
    stored = {path: known.to_json() for path, known in keys.keys.items()}

    assert {path: KnownKey.from_json(value) for path, value in json.loads(json.dumps(stored)).items()} == keys.keys


def test_ten_thousand_ordinary_hooks_report_nothing():
    """All keys count as unknown here, which no schema is so poor for."""
    hooks, keys, found = make_hooks(10_000, seed=5), {}, []
    for number, hook in enumerate(hooks):
        body = json.loads(hook.body)
        at = number * 90 * DAY_US // len(hooks)
        body = json.loads(body) if isinstance(body, str) else body
        known = keys.setdefault(hook.event, EventKeys(since=at))
        found += known.learn(SeenBody(number, at, body, list(describe_keys(body)[0])))

    assert found == []

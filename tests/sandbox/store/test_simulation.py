"""The background life: complete, repeatable, as odd as asked for."""

import json
from collections import Counter

import pytest

from sandbox.store.shop.gifts import KINDS
from sandbox.store.webhooks.shop_event import EVENTS

REAL_TIME = {"sent_at"}


def record_of(shop):
    truth = shop.truth()
    return [{key: value for key, value in one.items() if key not in REAL_TIME} for one in truth["happenings"]]


def decoded(received):
    return json.loads(json.loads(received.body))


def test_a_hundred_hooks_show_all_seventeen_events(shop, sent_events):
    shop.live(100, seed=11)
    assert set(sent_events()) == set(EVENTS)


def test_a_hundred_hooks_show_every_kind_of_gift(shop, sent_events):
    shop.live(100, seed=12)
    assert {one["gift"] for one in record_of(shop)} == {None, *KINDS}


@pytest.mark.parametrize("hooks", [1, 10, 100, 333])
def test_exactly_as_many_events_are_sent_as_asked_for(shop, sent_events, hooks):
    assert shop.live(hooks)["told"] == hooks


def test_the_same_seed_lives_the_same_life(shop, recorder):
    shop.listen(recorder)
    shop.live(150, seed=5, mix={"test": 0.1, "form_b": 0.3})
    first, bodies = record_of(shop), Counter(received.body for received in recorder.received)
    recorder.received.clear()

    shop.control("reset", {"seed": 7})
    shop.listen(recorder)
    shop.live(150, seed=5, mix={"test": 0.1, "form_b": 0.3})

    assert record_of(shop) == first
    assert Counter(received.body for received in recorder.received) == bodies


def test_another_seed_lives_another_life(shop, sent_events):
    shop.live(60, seed=1)
    first = record_of(shop)
    shop.control("reset", {"seed": 7})
    shop.live(60, seed=2)
    assert record_of(shop) != first


def test_a_life_goes_on_where_the_last_one_stopped(shop, sent_events):
    shop.live(40)
    shop.live(40, seed=2)
    assert [one["n"] for one in record_of(shop)] == list(range(1, 81))


def test_only_one_life_runs_at_a_time(shop, sent_events):
    shop.control("life", {"hooks": 1000, "rate": 50})
    assert shop.client.post("/_sandbox/life", json={"hooks": 1}).status_code == 409


def test_a_life_can_be_ended(shop, sent_events):
    shop.control("life", {"hooks": 1000, "rate": 50})
    assert shop.client.delete("/_sandbox/life").json["running"] is False


@pytest.mark.parametrize(
    "plan", [{}, {"hooks": 0}, {"hooks": 5, "rate": -1}, {"hooks": 5, "threads": 99}, {"hooks": 5, "mix": {"odd": 1}}]
)
def test_a_life_no_one_can_live_is_refused(shop, plan):
    assert shop.client.post("/_sandbox/life", json=plan).status_code == 400


def test_bodies_come_as_json_strings_by_default(shop, recorder, sent_events):
    shop.live(30)
    assert all(isinstance(decoded(received), dict) for received in recorder.received)
    assert {received.content_type for received in recorder.received} == {"application/json"}


@pytest.mark.parametrize(("switch", "form"), [("form_b", "B"), ("form_c", "C"), ("form_d", "D")])
def test_a_form_can_be_mixed_in(shop, sent_events, switch, form):
    shop.live(30, mix={switch: 1})
    assert {one["form"] for one in record_of(shop)} == {form}


def test_repeated_hooks_carry_the_same_body(shop, recorder, sent_events):
    status = shop.live(30, mix={"duplicate": 1})
    copies = Counter(received.body for received in recorder.received)
    assert status["posts"] > status["told"] == len(copies)
    assert set(copies.values()) <= {2, 3, 4}


def test_no_two_happenings_have_one_body(shop, recorder, sent_events):
    shop.live(400)
    assert max(Counter((received.event, received.body) for received in recorder.received).values()) == 1


def test_broken_bodies_come_beside_the_happenings(shop, recorder, sent_events):
    status = shop.live(30, mix={"broken": 1})
    assert (status["told"], len(shop.truth()["broken"]), len(recorder.received)) == (30, 30, 60)


def test_lost_happenings_are_in_the_truth_and_nowhere_else(shop, recorder, sent_events):
    shop.live(60, mix={"lose": 0.3})
    lost = [one for one in record_of(shop) if one["lost"]]
    assert lost
    assert {one["posts"] for one in lost} == {0}
    assert len(recorder.received) == 60


def test_test_mode_marks_what_is_bought(shop, sent_events):
    shop.live(80, mix={"test": 1})
    bought = {"order_new", "subscription_new"}
    assert {one["test"] for one in record_of(shop) if one["event"] in bought} == {True}


def test_gifts_can_be_without_their_recipient(shop, sent_events):
    shop.live(150, mix={"missing_recipient": 1})
    assert not [one for one in record_of(shop) if one["recipient"]]


def test_an_unknown_event_goes_to_an_address_no_one_registered(shop, sent_events):
    shop.live(20, mix={"unknown_event": 1})
    assert sent_events().count("gift_claimed") == 20


def test_a_refused_hook_is_not_sent_again_by_default(shop, recorder, sent_events):
    recorder.statuses.extend([503] * 3)
    status = shop.live(10)
    assert (status["posts"], status["refused"], status["accepted"]) == (10, 3, 7)


def test_a_refused_hook_is_sent_again_if_asked_for(shop, recorder, sent_events):
    recorder.statuses.extend([503] * 3)
    status = shop.live(10, retries=3)
    assert (status["refused"], status["accepted"]) == (3, 10)


def test_links_are_used_only_for_people_who_were_shown_before(shop, recorder, sent_events):
    shop.live(300, mix={"links": 1}, threads=1)
    shown = set()
    for received in recorder.received:
        customer = decoded(received).get("customer")
        if isinstance(customer, str):
            assert int(customer.rsplit("/", 1)[1]) in shown
        shown.add(person_in(received))


def person_in(received):
    body = decoded(received)
    inner = body.get("order", body) if body.get("type") == "transaction" else body
    customer = inner.get("customer") or body.get("customer") or (body if body.get("type") == "customer" else None)
    return customer["id"] if isinstance(customer, dict) else None


def test_dates_and_numbers_dress_hooks_if_the_mix_says_so(shop, recorder, sent_events):
    shop.live(60, mix={"epoch_ms": 1, "integer_status": 1})
    order = next(decoded(one) for one in recorder.received if one.event == "order_new")
    assert isinstance(order["placed_at"], int)
    assert order["status"] == 1

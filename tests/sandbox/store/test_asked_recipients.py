"""Gifts whose hooks do not name the recipient's address, while the API does."""

import json
import random

import pytest

from sandbox.store.fake_people import Person
from sandbox.store.shop.gifts import ASKED, ASKED_KINDS, ASKED_ORDER, ASKED_SUBSCRIPTION, build_gift

WHERE = {ASKED: {"orders", "subscriptions"}, ASKED_ORDER: {"orders"}, ASKED_SUBSCRIPTION: {"subscriptions"}}


@pytest.fixture
def lived(shop, recorder):
    shop.listen(recorder)
    shop.live(300, seed=2, mix={"asked_recipient": 0.5})
    return shop.truth()


def happened(truth):
    return [one for one in truth["happenings"] if one["gift"] in ASKED_KINDS and one["recipient"]]


def test_every_kind_happens(lived):
    assert {one["gift"] for one in happened(lived)} == set(ASKED_KINDS)


def test_no_hook_names_the_address(recorder, lived):
    addresses = {one["recipient"]["email"] for one in happened(lived)}
    customers = {one["email"] for one in lived["people"] if one["customer_id"]}
    bodies = b" ".join(one.body.lower() for one in recorder.received)
    assert addresses - customers
    assert not [one for one in addresses - customers if one.encode() in bodies]


def test_hooks_lack_the_address_in_several_ways(recorder, lived):
    gifts = {one["subject_id"] for one in happened(lived) if one["event"] == "order_new"}
    bodies = [json.loads(json.loads(one.body)) for one in recorder.received if one.event == "order_new"]
    infos = [body["order_gift_info"] for body in bodies if body["id"] in gifts]
    ways = {info.get("gift_recipient_email", "missing") for info in infos}
    assert len(ways) > 1
    assert ways <= {None, "missing", "", "ask the shop"}


@pytest.mark.parametrize("kind", ASKED_KINDS)
def test_the_api_names_it_where_the_kind_says(kind):
    buyer, friend = {"email": "dana@example.com"}, Person("Robin", None, "Robin", "robin@example.com")
    gift = build_gift(kind, buyer, friend, random.Random(1))
    named = {holder for holder in ("orders", "subscriptions") if gift.info(1, holder)["gift_recipient_email"]}
    assert named == WHERE[kind]


@pytest.mark.parametrize("path", ["orders", "subscriptions"])
def test_the_api_names_what_hooks_hide(shop, lived, path):
    [kind] = {ASKED_ORDER, ASKED_SUBSCRIPTION} - {ASKED_ORDER if path == "subscriptions" else ASKED_SUBSCRIPTION}
    gifts = [one for one in happened(lived) if one["gift"] == kind and f"{one['subject']}s" == path]
    rows = [shop.get(f"/v1/{path}/{one['subject_id']}/") for one in gifts]
    infos = [row["order_gift_info" if path == "orders" else "subscription_gift_info"] for row in rows]
    assert gifts
    assert [info["gift_recipient_email"].strip().casefold() for info in infos] == [
        one["recipient"]["email"] for one in gifts
    ]


def test_the_truth_says_who_is_known_by_asking_only(lived):
    asked = {one["email"] for one in lived["people"] if one["asked"]}
    assert asked
    assert asked <= {one["recipient"]["email"] for one in happened(lived)}


def test_without_the_mix_none_happens(shop, sent_events):
    shop.live(200)
    assert not [one for one in shop.truth()["happenings"] if one["gift"] in ASKED_KINDS]

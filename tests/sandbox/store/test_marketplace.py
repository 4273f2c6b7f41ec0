"""Orders from the storefront and from the Marketplace, and whom the storefront knows."""

import json

import pytest

MIX = {"test": 0.1, "missing_recipient": 0.1}


@pytest.fixture
def market(shop, recorder):
    """A life in a store that sells 40 % through the Marketplace."""
    shop.control("switches", {"marketplace_share": 0.4, "asks_consent": True})
    shop.people(40)
    shop.listen(recorder)
    shop.live(500, seed=4, mix=MIX)
    return shop.truth()


def test_about_that_share_of_orders_and_subscriptions_comes_from_the_marketplace(shop, market):
    rows = [*shop.world.state.rows("orders"), *shop.world.state.rows("subscriptions")]
    share = sum(row["source"] == market["store"]["sources"]["marketplace"] for row in rows) / len(rows)
    assert 0.3 < share < 0.5


def test_people_change_from_either_place_to_the_other(shop, market):
    changed = [one["customer_id"] for one in market["people"] if len(one["known_from"]) > 1]
    first = {shop.world.state.of("orders", "customer_id", one)[0]["source"] for one in changed}
    assert first == {1, 2}


def test_gifts_are_given_between_both_places(market):
    given = {(tuple(one["known_from"]), tuple(one["gifts_from"])) for one in market["people"]}
    assert {
        (("marketplace",), ("storefront",)),
        (("marketplace", "storefront"), ("marketplace",)),
        ((), ("marketplace", "storefront")),
        ((), ("marketplace",)),
    } <= given


def test_withheld_is_who_was_never_known_at_the_storefront(market):
    for one in market["people"]:
        assert one["withheld"] == ("storefront" not in {*one["known_from"], *one["gifts_from"]})


def test_an_event_says_whether_its_people_were_known_at_the_storefront_by_then(market):
    changed = {one["customer_id"] for one in market["people"] if one["known_from"] == ["marketplace", "storefront"]}
    came_over = 0
    for number in changed:
        events = [one for one in market["happenings"] if one["person"] and one["person"]["customer_id"] == number]
        known = [one["person"]["at_storefront"] for one in events]
        assert known == sorted(known)
        if events and not known[0]:
            came_over += 1
            turning = events[known.index(True)]
            assert (turning["event"], turning["origin"], turning["test"]) == ("order_new", "storefront", False)
    assert came_over


def test_only_the_storefront_has_people_who_bought_nothing(market):
    assert not [one for one in market["people"] if one["known_from"] == ["marketplace"] and not one["orders"]]


def test_an_event_has_the_origin_of_its_order(recorder, market):
    sources = {"storefront": 1, "marketplace": 2}
    origins = {one["subject_id"]: one["origin"] for one in market["happenings"] if one["event"] == "order_new"}
    bodies = [json.loads(json.loads(one.body)) for one in recorder.received if one.event == "order_new"]
    assert {body["id"]: body["source"] for body in bodies} == {key: sources[value] for key, value in origins.items()}


def test_every_name_ends_in_a_word_of_its_own(market):
    first = [one["first_name"].rpartition("-")[2] for one in market["people"] if one["customer_id"]]
    assert len(set(first)) == len(first)


def test_without_a_marketplace_everything_comes_from_the_storefront(shop, sent_events):
    shop.live(60, seed=1)
    assert {one["origin"] for one in shop.truth()["happenings"]} == {"storefront", None}
    assert not any(one["withheld"] for one in shop.truth()["people"])


def test_a_renewal_comes_from_where_its_subscription_does(shop, market):
    state = shop.world.state
    renewals = [row for row in state.rows("orders") if row["is_renewal"]]
    assert renewals
    for order in renewals:
        assert order["source"] == state.get("subscriptions", order["_subscription_ids"][0])["source"]


def test_the_source_can_be_text_in_hooks(shop, recorder, sent_events):
    shop.control("switches", {"sources": "text"})
    shop.live(30)
    bodies = [json.loads(json.loads(one.body)) for one in recorder.received if one.event == "order_new"]
    assert {body["source"] for body in bodies} == {"1"}


def test_what_source_means_can_be_changed(shop):
    shop.control("switches", {"storefront_source": 7})
    shop.people(5)
    assert {row["source"] for row in shop.get("/v1/orders/")["results"]} == {7}


@pytest.mark.parametrize(
    "switch", [{"marketplace_share": 1.2}, {"marketplace_share": True}, {"storefront_source": "1"}, {"surveys": "v2"}]
)
def test_a_switch_with_an_impossible_value_is_refused(shop, switch):
    assert shop.client.post("/_sandbox/switches", json=switch).status_code == 400


def test_the_same_seed_lives_the_same_life(shop, recorder):
    def life():
        shop.control("switches", {"marketplace_share": 0.4, "variants": "mixed"})
        shop.listen(recorder)
        shop.live(150, seed=5, mix={"asked_recipient": 0.3, "text_values": 0.2})
        bodies = sorted(one.body for one in recorder.received)
        recorder.received.clear()
        return bodies

    first = life()
    shop.control("reset", {"seed": 7})
    assert life() == first

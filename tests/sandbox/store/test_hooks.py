"""Registering hooks, and which of them are called."""

import pytest

from sandbox.store.webhooks.wire_forms import fill_query_template

HOOK = {"name": "n", "event": "order_new", "request_type": "POST", "target": "http://127.0.0.1:1/hooks/order_new/x"}


def test_a_new_hook_is_enabled_and_listed(shop):
    made = shop.call("POST", "/v1/hooks/", HOOK)
    assert (made.status_code, made.json["enabled"], made.json["querystring"]) == (201, True, None)
    assert shop.ids("/v1/hooks/") == [made.json["id"]]


def test_the_same_hook_can_be_registered_twice(shop):
    shop.call("POST", "/v1/hooks/", HOOK)
    assert shop.call("POST", "/v1/hooks/", HOOK).status_code == 201


@pytest.mark.parametrize("missing", ["name", "event", "request_type", "target"])
def test_a_hook_without_a_required_field_is_refused(shop, missing):
    assert shop.call("POST", "/v1/hooks/", {**HOOK, missing: None}).status_code == 400


@pytest.mark.parametrize("wrong", [{"event": "gift_claimed"}, {"request_type": "PUT"}, {"target": "ftp://x"}])
def test_a_hook_with_an_unknown_value_is_refused(shop, wrong):
    assert shop.call("POST", "/v1/hooks/", {**HOOK, **wrong}).status_code == 400


def test_a_hook_can_be_changed_and_deleted(shop):
    hook_id = shop.call("POST", "/v1/hooks/", HOOK).json["id"]
    assert shop.call("PUT", f"/v1/hooks/{hook_id}/", {"enabled": False}).json["enabled"] is False
    assert shop.call("DELETE", f"/v1/hooks/{hook_id}/").status_code == 204
    assert shop.call("GET", f"/v1/hooks/{hook_id}/").status_code == 404


def test_a_disabled_hook_is_not_called(shop, sent_events):
    for hook_id in shop.ids("/v1/hooks/?limit=100"):
        shop.call("PUT", f"/v1/hooks/{hook_id}/", {"enabled": "False"})
    shop.live(5)
    assert sent_events() == []


def test_two_hooks_for_one_event_are_both_called(shop, recorder):
    shop.listen(recorder, ["customer_new", "customer_new"])
    shop.live(1)
    assert [received.event for received in recorder.received] == ["customer_new", "customer_new"]


def test_a_get_hook_fills_its_query_from_the_body(shop, recorder):
    hook = {**HOOK, "event": "customer_new", "request_type": "GET", "querystring": "mail={{ email }}&n={{ id }}"}
    shop.call("POST", "/v1/hooks/", {**hook, "target": recorder.target("customer_new")})

    shop.live(1)

    [received] = recorder.received
    [customer] = [row for row in shop.truth()["people"] if row["told"]]
    assert received.method == "GET"
    assert f"n={customer['customer_id']}" in received.path


def test_a_query_value_is_encoded_and_a_missing_one_is_empty():
    assert (
        fill_query_template("a={{ order.name }}&b={{ none.here }}", {"order": {"name": "Zoë & Co"}})
        == "a=Zo%C3%AB%20%26%20Co&b="
    )


def test_no_target_beyond_this_machine_is_ever_called(shop):
    shop.call("POST", "/v1/hooks/", {**HOOK, "event": "customer_new", "target": "https://hooks.example.com/x"})
    assert shop.live(1)["unanswered"] == 1


def at_the_store(shop, method, query="", **body):
    return shop.client.open(f"/_sandbox/hooks{query}", method=method, json=body or None)


def events_of(answer):
    return [hook["event"] for hook in answer.json["hooks"]]


def test_a_hook_can_be_deleted_at_the_store_without_a_request_to_the_api(shop, recorder):
    shop.listen(recorder, ["order_new", "customer_new"])
    before = len(shop.get("/_sandbox/requests")["requests"])
    assert events_of(at_the_store(shop, "DELETE", "?event=order_new")) == ["customer_new"]
    assert len(shop.get("/_sandbox/requests")["requests"]) == before


def test_a_hook_that_was_deleted_at_the_store_is_not_called(shop, sent_events):
    at_the_store(shop, "DELETE", "?event=customer_new")
    shop.live(3)
    assert "customer_new" not in sent_events()


def test_a_hook_can_be_switched_off_and_on_at_the_store(shop):
    hook_id = shop.call("POST", "/v1/hooks/", HOOK).json["id"]
    at_the_store(shop, "POST", f"?id={hook_id}", enabled=False)
    assert shop.get(f"/v1/hooks/{hook_id}/")["enabled"] is False
    at_the_store(shop, "POST", enabled=True)
    assert shop.get(f"/v1/hooks/{hook_id}/")["enabled"] is True


def test_the_store_shows_its_hooks_by_event(shop, recorder):
    shop.listen(recorder, ["order_new", "customer_new"])
    assert events_of(at_the_store(shop, "GET", "?event=order_new")) == ["order_new"]


@pytest.mark.parametrize(
    ("method", "query", "body"),
    [("DELETE", "?event=gift_claimed", {}), ("POST", "?event=order_new", {"enabled": "perhaps"})],
)
def test_the_store_refuses_what_no_hook_can_be(shop, method, query, body):
    assert at_the_store(shop, method, query, **body).status_code == 400

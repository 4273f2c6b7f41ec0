"""The hooks at the sandbox store: registered, audited, mended, rotated, removed; no one else's is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.core.errors import BrokenPage
from pipeline.events.catalogue import EVENTS
from pipeline.hook_registration.sync import AUDIT_INTERVAL_US, SECOND_US
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import save_store_api
from tests.pipeline.hook_registration.conftest import KEYS, NOW, PUBLIC
from tests.pipeline.ledger.rows import add_store

FOREIGN = "https://other.example.com/hooks/in?key=s3cret"


def test_every_event_gets_one_hook_of_its_own(store_hooks):
    store_hooks.tend()

    assert store_hooks.as_it_should_be()
    assert len(set(store_hooks.urls().values())) == len(EVENTS)


def test_tending_twice_doubles_nothing(tended):
    tended.audit()

    assert [one[0] for one in tended.shop.asked()] == ["GET", *["POST"] * len(EVENTS), "GET"]
    assert tended.as_it_should_be()


def test_nothing_is_found_when_all_is_well(tended):
    tended.audit()

    assert tended.kinds(mended=False) == []


def test_the_next_audit_is_in_a_few_minutes(tended):
    assert tended.row().audit_at == NOW + AUDIT_INTERVAL_US
    assert tended.row().audited_at == NOW


def test_a_mere_listing_repairs_nothing_and_delays_no_repair(tended):
    tended.api().delete("hooks", tended.hook("order_new")["id"])
    for number in range(1, 4):
        tended.clock.now = NOW + number * 50 * SECOND_US
        tended.tend(audit_only=True)

    assert tended.kinds(mended=False) == [("missing", "order_new")]
    assert tended.row().audit_at == NOW + AUDIT_INTERVAL_US
    tended.clock.now = NOW + AUDIT_INTERVAL_US
    tended.tend()
    assert tended.as_it_should_be()


def test_a_listing_shows_the_present_state_and_not_the_last_audit(make_store_hooks):
    store_hooks = make_store_hooks(per_second=1.0)
    store_hooks.tend()
    before = len(store_hooks.kinds(mended=False))
    store_hooks.register("order_new", store_hooks.urls()["order_new"])
    while not store_hooks.tend(audit_only=True).done:
        store_hooks.context.redis.flushall()  # as time would empty the window

    assert ("missing", "order_new") not in store_hooks.kinds(mended=False)
    assert before > 0


def test_hooks_that_are_there_already_are_not_doubled(store_hooks):
    store_hooks.register("order_new", store_hooks.urls()["order_new"])
    store_hooks.tend()

    assert store_hooks.as_it_should_be()


def test_a_deleted_hook_comes_back(tended):
    tended.api().delete("hooks", tended.hook("order_new")["id"])
    tended.audit()

    assert tended.as_it_should_be()
    assert tended.kinds(mended=True)[-1] == ("missing", "order_new")


def test_a_disabled_hook_is_enabled(tended):
    tended.api().update("hooks", tended.hook("shipment_shipped")["id"], {"enabled": False})
    tended.audit()

    assert tended.as_it_should_be()
    assert tended.kinds(mended=True)[-1] == ("disabled", "shipment_shipped")


def test_a_doubled_hook_goes_and_the_right_one_stays(tended):
    kept = tended.hook("order_new")["id"]
    tended.register("order_new", tended.urls()["order_new"])
    tended.audit()

    assert tended.as_it_should_be()
    assert tended.hook("order_new")["id"] == kept
    assert tended.kinds(mended=True)[-1] == ("duplicate", "order_new")


def test_a_foreign_hook_is_reported_and_left_alone(tended):
    theirs = tended.register("order_new", FOREIGN, enabled=False)
    tended.audit()

    assert tended.kinds(mended=False) == [("foreign", "order_new")]
    assert tended.api().get("hooks", theirs)["target"] == FOREIGN
    assert tended.api().get("hooks", theirs)["enabled"] is False


def test_what_is_written_down_of_a_hook_is_its_host_alone(tended):
    tended.register("order_new", FOREIGN)
    tended.audit()

    assert [one.host for one in tended.findings() if one.mended_at is None] == ["other.example.com"]
    assert "s3cret" not in repr(tended.findings())


def test_what_is_found_again_keeps_its_age(tended):
    tended.register("order_new", FOREIGN)
    tended.audit()
    tended.clock.now += 5
    tended.audit()

    assert [one.found_at for one in tended.findings() if one.mended_at is None] == [NOW]


def test_a_rotated_token_is_given_to_every_hook(tended):
    before = {event: tended.hook(event)["id"] for event in EVENTS}
    tended.rotate()
    tended.tend()

    assert tended.as_it_should_be()
    assert {event: tended.hook(event)["id"] for event in EVENTS} == before
    assert {kind for kind, _ in tended.kinds(mended=True)} == {"missing", "old_token"}


def test_a_hook_that_leads_to_where_we_were_is_brought_home(tended):
    moved = tended.urls()["order_new"].replace(PUBLIC, "https://old.example.com/cratewire")
    tended.api().update("hooks", tended.hook("order_new")["id"], {"target": moved})
    tended.audit()

    assert tended.as_it_should_be()
    assert tended.kinds(mended=True)[-1] == ("moved", "order_new")


def test_a_hook_with_the_address_of_another_event_is_put_right(tended):
    other = tended.urls()["order_updated"]
    tended.api().update("hooks", tended.hook("order_new")["id"], {"target": other})
    tended.audit()

    assert tended.as_it_should_be()
    assert tended.kinds(mended=True)[-1] == ("misdirected", "order_new")


def test_a_hook_sent_as_get_is_put_right(tended):
    tended.api().update("hooks", tended.hook("order_new")["id"], {"request_type": "GET"})
    tended.audit()

    assert tended.hook("order_new")["request_type"] == "POST"


def test_a_hook_to_our_host_that_no_one_here_signed_is_put_right(tended):
    forged = f"{PUBLIC}/hooks/sunny-box/1.{'x' * 43}/order_new"
    tended.api().update("hooks", tended.hook("order_new")["id"], {"target": forged})
    tended.audit()

    assert tended.as_it_should_be()


@pytest.mark.parametrize(
    "target",
    [
        "https://other.example.com/hooks/moon-box/1.abc/order_new",
        "https://other.example.com/hooks/sunny-box/1.abc/order_new",
        f"{PUBLIC}/hooks/moon-box/1.abc/order_new",
        "https://[",
        "https://example.com",
    ],
)
def test_what_we_did_not_sign_and_does_not_lead_to_us_is_not_ours(tended, target):
    tended.register("order_new", target)
    tended.audit()

    assert tended.kinds(mended=False) == [("foreign", "order_new")]


def test_disconnecting_removes_ours_and_no_one_elses(tended):
    theirs = tended.register("order_new", FOREIGN)
    tended.disconnect()
    tended.tend()

    assert [hook["id"] for hook in tended.api().page("hooks").results] == [theirs]


def test_looking_mends_nothing(store_hooks):
    store_hooks.tend(audit_only=True)

    assert store_hooks.registered() == {}
    assert {kind for kind, _ in store_hooks.kinds(mended=False)} == {"missing"}


def test_hooks_that_are_on_a_page_that_comes_back_null_are_not_made_anew(tended):
    tended.shop.fault(page="null", on=1, prefix="/v1/hooks", times=1)
    with pytest.raises(BrokenPage):
        tended.audit()
    tended.audit()

    assert tended.as_it_should_be()


def test_a_list_of_hooks_that_comes_back_empty_is_read_again_before_any_is_made(tended):
    tended.shop.fault(page="empty", on=1, prefix="/v1/hooks", times=1)
    tended.audit()

    assert tended.as_it_should_be()
    assert [one[0] for one in tended.shop.asked()].count("POST") == len(EVENTS)


def test_two_stores_with_the_same_keys_leave_each_others_hooks_alone_and_come_to_rest(tended):
    with writing(tended.context.engine) as conn:
        twin = replace(tended, store_id=add_store(conn, "twin-box").id)
        save_store_api(conn, twin.store_id, encrypt(KEYS, tended.shop.credentials().as_config()), NOW)
    twin.tend()
    made = len(tended.shop.asked())
    tended.audit()
    twin.audit()

    assert [one[0] for one in tended.shop.asked()[made:]] == ["GET", "GET"]
    assert sorted(map(len, tended.registered().values())) == [2] * len(EVENTS)

"""What ends a pass over a store's hooks, and what the next one does then."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadCredentials, Misconfigured, ServerFault
from pipeline.cratejoy.credentials import Credentials
from pipeline.events.catalogue import EVENTS
from pipeline.hook_registration.sync import AUDIT_INTERVAL_US, RETRY_AFTER_FAILURE_US, RETRY_AFTER_REFUSAL_US
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import delete_store_api, list_due_audits, request_hook_audit, save_store_api
from tests.pipeline.hook_registration.conftest import KEYS, NOW, PUBLIC


def test_a_small_budget_is_used_bit_by_bit_without_waiting(make_store_hooks):
    store_hooks = make_store_hooks(per_second=50)
    passes = 1
    while not (tended := store_hooks.tend()).done:
        assert tended.wait > 0
        store_hooks.context.redis.flushall()  # as time would empty the window
        passes += 1

    assert store_hooks.as_it_should_be()
    lists = [one for one in store_hooks.shop.asked() if one[0] == "GET"]
    assert len(lists) == 2  # it went on from its findings; the other is this test's


def test_a_budget_of_one_request_comes_to_an_end_too(make_store_hooks):
    store_hooks = make_store_hooks(per_second=1)
    while not store_hooks.tend().done:
        store_hooks.context.redis.flushall()

    assert store_hooks.as_it_should_be()


def test_a_429_ends_the_pass_and_names_the_time_of_the_next(store_hooks):
    store_hooks.shop.fault(status=429, times=1, retry_after=90)
    tended = store_hooks.tend()

    assert not tended.done
    assert 80 < tended.wait <= 90
    assert store_hooks.row().audit_at - NOW == pytest.approx(90_000_000, abs=10_000_000)


def test_a_failing_store_is_tried_again_later(store_hooks):
    store_hooks.shop.fault(status=502, times=1)

    with pytest.raises(ServerFault):
        store_hooks.tend()

    assert store_hooks.row().audit_at == NOW + RETRY_AFTER_FAILURE_US
    assert "502" in store_hooks.row().audit_error


def test_downtime_that_says_how_long_is_believed(store_hooks):
    store_hooks.shop.fault(status=503, times=1, retry_after=1_000)

    with pytest.raises(ServerFault):
        store_hooks.tend()

    assert store_hooks.row().audit_at == NOW + 1_000_000_000


def test_refused_keys_are_marked_and_tried_again_in_an_hour(store_hooks):
    store_hooks.shop.fault(auth="revoked", times=1)
    with pytest.raises(BadCredentials):
        store_hooks.tend()
    refused = store_hooks.row()
    store_hooks.tend()

    assert (refused.status, refused.audit_at) == ("refused", NOW + RETRY_AFTER_REFUSAL_US)
    assert (store_hooks.row().status, store_hooks.row().audit_error) == ("active", None)


@pytest.mark.on_both_databases
def test_a_request_that_is_refused_stops_no_other(store_hooks):
    store_hooks.register("order_new", f"{PUBLIC}/hooks/sunny-box/1.{'x' * 43}/order_new")
    gone = store_hooks.hook("order_new")["id"]
    store_hooks.tend(audit_only=True)
    store_hooks.api().delete("hooks", gone)
    store_hooks.tend()

    assert [(one.kind, one.event, bool(one.failure)) for one in store_hooks.findings() if one.mended_at is None] == [
        ("old_token", "order_new", True)
    ]
    assert len(store_hooks.registered()) == len(EVENTS) - 1
    store_hooks.audit()
    assert store_hooks.as_it_should_be()


def test_a_loopback_address_is_not_given_to_a_store_far_away(store_hooks):
    """Such as a copy of an installation on a developer's machine: the real one's hooks must stay as they are."""
    with writing(store_hooks.context.engine) as conn:
        save_store_api(conn, store_hooks.store_id, encrypt(KEYS, Credentials("id", "secret").as_config()), NOW)
    store_hooks.open_api = lambda *_: store_hooks.api()
    store_hooks.register("order_new", store_hooks.urls()["order_new"].replace(PUBLIC, "https://hooks.example.com"))
    store_hooks.tend()

    assert store_hooks.kinds(mended=False) == [("unreachable", None)]
    assert [one[0] for one in store_hooks.shop.asked()] == ["POST", "GET"]


def test_asking_for_another_audit_during_one_is_not_forgotten(store_hooks):
    """A rotation that comes while a pass is under way must not wait for the next hour."""
    opened = store_hooks.open_api

    def open_and_ask(context, credentials):
        with writing(store_hooks.context.engine) as conn:
            request_hook_audit(conn, store_hooks.store_id, NOW + 1)
        return opened(context, credentials)

    store_hooks.open_api = open_and_ask
    store_hooks.tend()
    store_hooks.open_api = opened

    assert (store_hooks.row().audit_at, store_hooks.row().audited_at) == (NOW + 1, None)


@pytest.mark.on_both_databases
def test_two_do_not_tend_one_store_at_once(store_hooks):
    held = []
    opened = store_hooks.open_api

    def open_and_tend(context, credentials):
        if not held:
            held.append(None)
            held.append(store_hooks.tend())
        return opened(context, credentials)

    store_hooks.open_api = open_and_tend
    store_hooks.tend()

    assert held[1].reason == "another process is syncing this store's hooks"
    assert store_hooks.as_it_should_be()


@pytest.mark.on_both_databases
def test_only_stores_whose_time_has_come_are_due(tended):
    def due(at):
        with writing(tended.context.engine) as conn:
            return list_due_audits(conn, at)

    assert due(NOW + AUDIT_INTERVAL_US - 1) == []
    assert due(NOW + AUDIT_INTERVAL_US) == [tended.store_id]


def test_a_store_without_keys_is_not_tended(store_hooks):
    with writing(store_hooks.context.engine) as conn:
        delete_store_api(conn, store_hooks.store_id)

    with pytest.raises(Misconfigured, match="Client ID"):
        store_hooks.tend()

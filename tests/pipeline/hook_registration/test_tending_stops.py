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


def test_a_small_budget_is_used_bit_by_bit_without_waiting(make_ward):
    ward = make_ward(per_second=50)
    passes = 1
    while not (tended := ward.tend()).done:
        assert tended.wait > 0
        ward.context.redis.flushall()  # as time would empty the window
        passes += 1

    assert ward.as_it_should_be()
    lists = [one for one in ward.shop.asked() if one[0] == "GET"]
    assert len(lists) == 2  # it went on from its findings; the other is this test's


def test_a_budget_of_one_request_comes_to_an_end_too(make_ward):
    ward = make_ward(per_second=1)
    while not ward.tend().done:
        ward.context.redis.flushall()

    assert ward.as_it_should_be()


def test_a_429_ends_the_pass_and_names_the_time_of_the_next(ward):
    ward.shop.fault(status=429, times=1, retry_after=90)
    tended = ward.tend()

    assert not tended.done
    assert 80 < tended.wait <= 90
    assert ward.row().audit_at - NOW == pytest.approx(90_000_000, abs=10_000_000)


def test_a_failing_store_is_tried_again_later(ward):
    ward.shop.fault(status=502, times=1)

    with pytest.raises(ServerFault):
        ward.tend()

    assert ward.row().audit_at == NOW + RETRY_AFTER_FAILURE_US
    assert "502" in ward.row().audit_error


def test_downtime_that_says_how_long_is_believed(ward):
    ward.shop.fault(status=503, times=1, retry_after=1_000)

    with pytest.raises(ServerFault):
        ward.tend()

    assert ward.row().audit_at == NOW + 1_000_000_000


def test_refused_keys_are_marked_and_tried_again_in_an_hour(ward):
    ward.shop.fault(auth="revoked", times=1)
    with pytest.raises(BadCredentials):
        ward.tend()
    refused = ward.row()
    ward.tend()

    assert (refused.status, refused.audit_at) == ("refused", NOW + RETRY_AFTER_REFUSAL_US)
    assert (ward.row().status, ward.row().audit_error) == ("active", None)


@pytest.mark.on_both_databases
def test_a_request_that_is_refused_stops_no_other(ward):
    ward.register("order_new", f"{PUBLIC}/hooks/sunny-box/1.{'x' * 43}/order_new")
    gone = ward.hook("order_new")["id"]
    ward.tend(audit_only=True)
    ward.api().delete("hooks", gone)
    ward.tend()

    assert [(one.kind, one.event, bool(one.failure)) for one in ward.findings() if one.mended_at is None] == [
        ("old_token", "order_new", True)
    ]
    assert len(ward.registered()) == len(EVENTS) - 1
    ward.audit()
    assert ward.as_it_should_be()


def test_a_loopback_address_is_not_given_to_a_store_far_away(ward):
    """Such as a copy of an installation on a developer's machine: the real one's hooks must stay as they are."""
    with writing(ward.context.engine) as conn:
        save_store_api(conn, ward.store_id, encrypt(KEYS, Credentials("id", "secret").as_config()), NOW)
    ward.open_api = lambda *_: ward.api()
    ward.register("order_new", ward.urls()["order_new"].replace(PUBLIC, "https://hooks.example.com"))
    ward.tend()

    assert ward.kinds(mended=False) == [("unreachable", None)]
    assert [one[0] for one in ward.shop.asked()] == ["POST", "GET"]


def test_asking_for_another_audit_during_one_is_not_forgotten(ward):
    """A rotation that comes while a pass is under way must not wait for the next hour."""
    opened = ward.open_api

    def open_and_ask(context, credentials):
        with writing(ward.context.engine) as conn:
            request_hook_audit(conn, ward.store_id, NOW + 1)
        return opened(context, credentials)

    ward.open_api = open_and_ask
    ward.tend()
    ward.open_api = opened

    assert (ward.row().audit_at, ward.row().audited_at) == (NOW + 1, None)


@pytest.mark.on_both_databases
def test_two_do_not_tend_one_store_at_once(ward):
    held = []
    opened = ward.open_api

    def open_and_tend(context, credentials):
        if not held:
            held.append(None)
            held.append(ward.tend())
        return opened(context, credentials)

    ward.open_api = open_and_tend
    ward.tend()

    assert held[1].reason == "another process is syncing this store's hooks"
    assert ward.as_it_should_be()


@pytest.mark.on_both_databases
def test_only_stores_whose_time_has_come_are_due(tended):
    def due(at):
        with writing(tended.context.engine) as conn:
            return list_due_audits(conn, at)

    assert due(NOW + AUDIT_INTERVAL_US - 1) == []
    assert due(NOW + AUDIT_INTERVAL_US) == [tended.store_id]


def test_a_store_without_keys_is_not_tended(ward):
    with writing(ward.context.engine) as conn:
        delete_store_api(conn, ward.store_id)

    with pytest.raises(Misconfigured, match="Client ID"):
        ward.tend()

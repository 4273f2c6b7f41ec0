"""What canaries prove about the public endpoint, and what answers them: Cratewire, another service, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.infra.crypto import hook_tokens
from pipeline.infra.crypto.encryption import encrypt
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.connections import NewConnection, save_connection
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.canaries import CanaryRow, list_newest_canaries, request_canary
from pipeline.monitoring.canary import NOT_CRATEWIRE, OTHER_KEY_IN_USE, SECOND_US, send_canary
from pipeline.monitoring.status import ARRIVAL_TIMEOUT_US, NEVER_ARRIVED, compute_status
from tests.builders import NOW
from tests.pipeline.monitoring.conftest import KEYS
from tests.pipeline.monitoring.hook_histories import DAY
from tests.servers.listener import listener
from tests.servers.process import free_port

MINUTE = 60 * SECOND_US
HTTP_CALLS = HTTPClient()


def canary(minute, fault=None, arrived=None, answered=0):
    """One that was sent so many minutes ago, answered (None: not yet) and arrived so many seconds later."""
    sent = NOW - minute * MINUTE
    at = [None if after is None else sent + after * SECOND_US for after in (answered, arrived)]
    return CanaryRow(minute, 1, f"n{minute}", sent, sent, at[0], fault, at[1])


def back(minute):
    return canary(minute, arrived=2)


def lost(minute, fault="answered 502"):
    return canary(minute, fault)


@pytest.mark.parametrize(
    ("canaries", "works", "fault"),
    [
        ([], None, None),
        ([canary(0)], None, None),
        ([canary(9, answered=None)], None, None),
        ([back(1)], True, None),
        ([canary(0), back(1)], True, None),
        ([lost(1), back(2)], True, "answered 502"),
        ([lost(1), lost(2), back(3)], True, "answered 502"),
        ([lost(1, "TLS failed"), lost(2), lost(3), back(9)], False, "TLS failed"),
        ([lost(1), lost(2), lost(3)], False, "answered 502"),
        ([back(1), lost(2), lost(3), lost(4)], True, None),
        ([canary(6), lost(7), lost(8)], False, NEVER_ARRIVED),
    ],
)
def test_it_takes_three_failures_in_a_row_to_call_the_way_in_broken(canaries, works, fault):
    proof = compute_status(canaries, NOW)

    assert (proof.works, proof.fault) == (works, fault)


def test_one_that_came_back_says_when_and_how_quickly():
    proof = compute_status([lost(1), back(3)], NOW)

    assert (proof.proven_at, proof.took_us, proof.failures) == (NOW - 3 * MINUTE + 2 * SECOND_US, 2 * SECOND_US, 1)
    assert proof.since == NOW - MINUTE


def test_one_that_was_taken_may_be_on_its_way_for_a_while():
    assert compute_status([canary(0), back(1)], NOW + ARRIVAL_TIMEOUT_US - SECOND_US).fault is None
    assert compute_status([canary(0), back(1)], NOW + ARRIVAL_TIMEOUT_US + SECOND_US).fault == NEVER_ARRIVED


def at_address(shops, url):
    """The installation whose public address is this one."""
    return replace(shops.context, settings=replace(shops.context.settings, public_url=url))


@pytest.fixture
def send(shops):
    """Sends one to an address; its fault, as it was noted."""
    store = shops.store(events=())

    def sent(url):
        with writing(shops.engine) as conn:
            request_canary(conn, store, shops.context.make_nonce(), shops.clock)
            [one] = list_newest_canaries(conn, 1)
        fault_found = send_canary(at_address(shops, url), one.id)
        with reading(shops.engine) as conn:
            [noted] = list_newest_canaries(conn, 1)
        assert (noted.answered_at, noted.fault) == (shops.clock, fault_found)
        return fault_found

    return sent


def test_it_goes_where_cratejoys_hooks_go(send):
    with listener(200, b'{"receipt":"r"}') as endpoint:
        assert send(endpoint.url) is None

    [request] = endpoint.requests
    _, hooks, store, token, event = request.path.split("/")
    assert (request.method, hooks, store, event) == ("POST", "hooks", "acme", "canary")
    assert hook_tokens.verify(KEYS, "acme", token) == 1


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (502, b"<html>", "answered 502"),
        (404, b'{"error":"not found"}', "answered 404"),
        (301, b"", "answered 301"),
        (200, b"<html>this domain is for sale</html>", NOT_CRATEWIRE),
        (200, b'{"ok":true}', NOT_CRATEWIRE),
        (200, b"[]", NOT_CRATEWIRE),
    ],
)
def test_another_service_that_answers_is_named(send, status, body, fault):
    with listener(status, body, {"Location": "/elsewhere"}) as endpoint:
        assert send(endpoint.url) == fault
    assert len(endpoint.requests) == 1


def test_a_store_that_was_connected_with_another_secret_key_is_reported_and_nothing_is_sent(shops, send):
    store = shops.store(events=())
    with writing(shops.engine) as conn:
        save_connection(
            conn, NewConnection(store, "customerio", "1", encrypt(["an-older-key-of-the-tests"], {})), shops.clock
        )

    with listener(200, b'{"receipt":"r"}') as endpoint:
        assert send(endpoint.url) == OTHER_KEY_IN_USE
    assert not endpoint.requests


def test_an_address_where_no_one_listens_is_named(send):
    assert send(f"http://127.0.0.1:{free_port()}") == "connection refused"


def test_one_canary_is_sent_once_however_many_workers_take_it(shops, send):
    with listener(200, b'{"receipt":"r"}') as endpoint:
        send(endpoint.url)
        with reading(shops.engine) as conn:
            [one] = list_newest_canaries(conn, 1)
        send_canary(at_address(shops, endpoint.url), one.id)

    assert len(endpoint.requests) == 1


@pytest.fixture
def watched(shops):
    shops.canary_seconds = 300.0
    shops.store(events=())
    return shops


def test_a_canary_is_sent_every_few_minutes(watched):
    first = watched.sweep()
    watched.answer(first)

    assert [len(first), len(watched.sweep(hours=4 / 60)), len(watched.sweep(hours=1 / 60))] == [1, 0, 1]


def test_one_that_failed_is_followed_by_another_within_a_minute(watched):
    watched.answer(watched.sweep(), "TLS failed")

    assert len(watched.sweep(hours=1 / 60)) == 1


def test_stores_take_turns(watched):
    watched.store("moon", events=())
    for _ in range(4):
        watched.answer(watched.sweep(hours=0.1))

    with reading(watched.engine) as conn:
        assert sorted(one.store_id for one in list_newest_canaries(conn, 4)) == sorted([*watched.stores.values()] * 2)


def test_without_a_store_and_without_a_wish_for_them_none_is_sent(shops):
    shops.canary_seconds = 300.0
    none_yet = shops.sweep()
    shops.store(events=())
    shops.canary_seconds = 0.0

    assert (none_yet, shops.sweep()) == ([], [])


@pytest.mark.on_both_databases
def test_a_broken_way_in_is_an_alarm_until_a_canary_comes_back(watched):
    watched.answer(watched.sweep())
    states = []
    for fault in ["name not resolved"] * 4 + [None]:
        watched.answer(watched.sweep(hours=0.1), fault)
        watched.sweep()
        states.append(watched.open())

    assert states == [[], [], [(None, "")], [(None, "")], []]
    [alarm] = watched.alarms()
    assert (alarm.kind, alarm.reason, alarm.store_id) == ("way_in", "name not resolved", None)


def test_while_the_way_in_is_broken_no_store_is_called_silent(shops):
    shops.store()
    shops.canary_seconds = 300.0
    for hours in (0.1, 0.1, 0.1, 0.1, DAY, DAY):
        shops.answer(shops.sweep(hours=hours), "TLS failed")

    assert shops.open() == [(None, "")]


def test_switching_canaries_off_ends_the_alarm(watched):
    for _ in range(4):
        watched.answer(watched.sweep(hours=0.1), "TLS failed")
    before = watched.open()
    watched.canary_seconds = 0.0
    watched.sweep()

    assert (before, watched.open()) == ([(None, "")], [])

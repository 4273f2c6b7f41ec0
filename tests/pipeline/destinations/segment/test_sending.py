"""Sending to Segment's API: limits, refused calls, and how long to wait."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable, WrongAddress
from pipeline.core.messages import ConnectionBroken, Rejected, RetryAfter, Sent
from pipeline.destinations.segment.responses import parse_outcome
from pipeline.destinations.segment.sending import MAX_CALL_BYTES, MAX_CALL_ITEMS
from pipeline.infra.http.client import HTTPResponse
from tests.contracts.messages import event, person, profile
from tests.contracts.segment_kits import running_segment

ALICE, GUEST = person(1), person(3, customer=False)
NOW_US = 1_772_470_000_000_000


@pytest.fixture
def kit():
    with running_segment() as kit:
        yield kit


def test_a_gift_recipient_who_buys_stays_one_person(kit):
    buyer = person(3)
    kit.destination().send([profile(1, GUEST, has_profile=False), event(2, GUEST)])
    kit.destination().send([profile(3, buyer), event(4, buyer)])

    [found] = [one.as_json() for one in kit.world.source.people]
    assert (found["id"], len(found["events"])) == ("cj_7003", 2)


def test_what_is_sent_again_is_taken_once(kit):
    for _ in range(2):
        kit.destination().send([event(1, ALICE)])

    assert [len(one.events) for one in kit.world.source.people] == [1]


def test_nothing_that_is_sent_is_over_a_limit(kit):
    long = [event(number, ALICE, note="x" * 31_000) for number in range(1, 40)]
    many = [event(number, ALICE) for number in range(100, 100 + MAX_CALL_ITEMS + 1)]

    reply = kit.destination().send([*long, *many])

    assert set(reply.outcomes) == {Sent()}
    assert max(map(len, kit.bodies())) <= MAX_CALL_BYTES
    assert max(map(len, kit.world.source.calls)) <= MAX_CALL_ITEMS
    assert kit.world.source.dropped.total() == 0


def test_a_refused_call_is_halved_until_the_bad_message_is_left(kit):
    kit.answer_next(400)

    reply = kit.destination().send([event(number, ALICE) for number in range(4)])

    assert (set(reply.outcomes), len(reply.calls)) == ({Sent()}, 3)


def test_a_message_that_is_refused_alone_is_refused(kit):
    for _ in range(2):
        kit.answer_next(400)

    reply = kit.destination().send([event(1, ALICE), event(2, ALICE)])

    assert [type(one) for one in reply.outcomes] == [Rejected, Sent]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Sent), (302, ConnectionBroken), (400, Rejected), (401, ConnectionBroken), (404, ConnectionBroken),
        (408, RetryAfter), (410, RetryAfter), (413, Rejected), (429, RetryAfter), (460, RetryAfter),
        (500, RetryAfter), (501, RetryAfter),
    ],
)  # fmt: skip
def test_a_status_decides_what_becomes_of_a_call(status, outcome):
    assert type(parse_outcome(HTTPResponse(status, started_at=NOW_US))) is outcome


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7", "x-ratelimit-reset": "9"}, 7.0),
        ({"x-ratelimit-reset": "9"}, 9.0),
        ({"x-ratelimit-reset": str(NOW_US // 1_000_000 + 30)}, 30.0),
        ({"x-ratelimit-reset": str(NOW_US // 1_000_000 - 30)}, None),
        ({"x-ratelimit-reset": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_the_one_that_the_answer_names(headers, seconds):
    assert parse_outcome(HTTPResponse(429, headers, started_at=NOW_US)).seconds == seconds


def test_a_page_of_a_proxy_is_no_success():
    assert isinstance(parse_outcome(HTTPResponse(200, body="<html>")), RetryAfter)


@pytest.mark.parametrize(("status", "error"), [(403, BadCredentials), (404, WrongAddress), (500, Unreachable)])
def test_a_check_says_what_is_wrong(kit, status, error):
    kit.answer_next(status)

    with pytest.raises(error):
        kit.destination().check()


def test_an_address_that_is_not_safe_is_refused(kit):
    with pytest.raises(Misconfigured, match="base_url"):
        kit.destination(base_url="http://example.com/v1")


def test_the_account_shows_nothing_of_the_write_key(kit):
    checked = kit.destination().check()

    assert kit.config()["write_key"] not in checked.account

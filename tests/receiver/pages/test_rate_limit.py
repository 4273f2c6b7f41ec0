"""The rate limit of forms per network."""

from __future__ import annotations

import pytest

from receiver.networks import find_network
from receiver.pages.rate_limit import MAX_FORMS_PER_MINUTE, MAX_TRACKED_KEYS, RateLimiter
from tests.builders import NOW
from tests.receiver.pages.browser import PUBLIC

ONE, OTHER = "11.0.0.1", "11.0.0.2"


def post(pages, peer, forwarded=""):
    """Send a form without a CSRF token: 400 if the limit allows it."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    client = pages.app.test_client()
    return client.post("/login", base_url=PUBLIC, headers=headers, environ_base={"REMOTE_ADDR": peer}).status_code


def statuses(pages, *peers):
    return [post(pages, peer) for peer in peers]


def test_one_form_too_many_is_rejected_for_that_network_only(pages):
    assert statuses(pages, *[ONE] * (MAX_FORMS_PER_MINUTE + 1), OTHER) == [400] * MAX_FORMS_PER_MINUTE + [429, 400]


def test_a_minute_later_all_is_forgotten(pages):
    statuses(pages, *[ONE] * (MAX_FORMS_PER_MINUTE + 1))
    pages.clock[0] += 60_000_001

    assert post(pages, ONE) == 400


def test_pages_are_not_counted(pages):
    client = pages.app.test_client()
    seen = {
        client.get("/login", base_url=PUBLIC, environ_base={"REMOTE_ADDR": ONE}).status_code
        for _ in range(MAX_FORMS_PER_MINUTE + 1)
    }

    assert seen == {200}


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("11.0.0.1", "", "11.0.0.1/32"),
        ("11.0.0.1", "11.0.0.9", "11.0.0.1/32"),  # a header made up by the client
        ("127.0.0.1", "11.0.0.9", "11.0.0.9/32"),
        ("10.0.0.4", "11.0.0.7, 11.0.0.9", "11.0.0.9/32"),
        ("10.0.0.4", "11.0.0.7, nonsense", None),
        ("[2600:1::1]", "", "2600:1::/64"),
        ("2600:1::ffff", "", "2600:1::/64"),
        ("127.0.0.1", "", None),
        ("127.0.0.1", "192.168.1.7", None),
        ("", "", None),
    ],
)
def test_where_a_form_comes_from(peer, forwarded, network):
    assert find_network(peer, forwarded) == network


def test_only_so_many_networks_are_remembered():
    limiter = RateLimiter(MAX_FORMS_PER_MINUTE, lambda: NOW)
    for _ in range(MAX_FORMS_PER_MINUTE):
        limiter.allows("first")
    full = limiter.allows("first")
    for number in range(MAX_TRACKED_KEYS):
        limiter.allows(str(number))

    assert (full, limiter.allows("first")) == (False, True)

"""A send whose calls take long ends before its lane counts as lost."""

from __future__ import annotations

from itertools import count

from pipeline.core.messages import Rejected, RetryAfter, Sent
from pipeline.destinations.customerio import CustomerIO
from pipeline.infra.http.client import HTTPClient
from tests.contracts.fake_track import FakeTrack
from tests.contracts.messages import event, person
from tests.pipeline.destinations.customerio.test_sending import all_or_nothing


def slow(track: FakeTrack) -> CustomerIO:
    """To it every call takes ten seconds or more."""
    return CustomerIO(track.config, HTTPClient(now=count(0, 10_000_000).__next__))


def test_a_send_of_slow_calls_ends_early_and_leaves_the_rest_for_the_next(track: FakeTrack):
    reply = slow(track).send([event(n, person(n), note="x" * 40_000) for n in range(20)])

    assert 1 < len(track.calls) < 20
    assert reply.outcomes[: len(track.calls)] == (Sent(),) * len(track.calls)
    assert {one.seconds for one in reply.outcomes[len(track.calls) :] if isinstance(one, RetryAfter)} == {0.0}


def test_slow_calls_are_halved_until_one_bad_item_is_found(track: FakeTrack):
    track.next.extend(all_or_nothing(range(200), {0}))

    reply = slow(track).send([event(n, person(n)) for n in range(200)])

    assert isinstance(reply.outcomes[0], Rejected)
    assert isinstance(reply.outcomes[-1], RetryAfter)

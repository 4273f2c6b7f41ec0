"""What a store's API says now about one event: asked once, kept for ten minutes, recorded nowhere."""

from __future__ import annotations

import pytest

from pipeline.core.errors import RateLimited, Unreachable
from pipeline.ledger.engine import reading
from pipeline.ledger.schema import core
from pipeline.lookups.asked import KEPT_S, answer_request, find_asked_object, load_answer, request_answer, take_requests
from tests.builders import NOW, customer, order
from tests.contexts import make_context


@pytest.fixture
def asker(lookups):
    lookups.record("order_new", order())
    return lookups, make_context(lookups.recorder.engine, lookups.redis)


def ask(asker):
    setup, context = asker
    request_answer(setup.redis, 1, NOW)
    wait = answer_request(context, 1, setup.api)
    return wait, load_answer(setup.redis, 1)


def test_the_answer_is_kept_for_ten_minutes(asker):
    setup, _ = asker
    setup.api.objects["orders", 7015] = order(status="cancelled")

    _, asked = ask(asker)

    assert (asked.state, asked.answer["status"]) == ("found", "cancelled")
    assert 0 < setup.redis.ttl("cratewire:asked:1") <= KEPT_S


@pytest.mark.parametrize(
    ("failure", "state", "wait"),
    [
        (None, "missing", None),
        (Unreachable("no answer"), "failed", None),
        (RateLimited(1.5, "later"), "waiting", 1.5),
    ],
    ids=["deleted", "away", "budget used up"],
)
def test_an_answer_that_does_not_come_is_said_or_waited_for(asker, failure, state, wait):
    setup, _ = asker
    setup.api.failures = [failure] if failure else []

    waited, asked = ask(asker)

    assert (asked.state, waited) == (state, wait)


def test_a_question_is_taken_once_and_not_asked_again_while_it_waits(asker):
    setup, context = asker
    request_answer(setup.redis, 1, NOW)
    request_answer(setup.redis, 1, NOW + 1)

    assert (take_requests(setup.redis), take_requests(setup.redis)) == ([1], [])
    assert load_answer(setup.redis, 1).asked_at == NOW
    answer_request(context, 1, setup.api)
    answer_request(context, 1, setup.api)
    assert setup.api.asked == ["orders/7015"]


def test_nothing_is_recorded(asker):
    setup, _ = asker
    recorder = setup.recorder
    setup.api.objects["orders", 7015] = order(customer=customer(first_name="Another"))
    before = recorder.rows(core.Person), recorder.rows(core.Fact), recorder.rows(core.Event)

    ask(asker)

    assert (recorder.rows(core.Person), recorder.rows(core.Fact), recorder.rows(core.Event)) == before


def test_only_an_event_about_an_object_of_the_api_can_be_asked_about(lookups):
    lookups.record("order_new", order())
    lookups.record("design_updated", {"file_changed": "x"})

    with reading(lookups.recorder.engine) as conn:
        assert find_asked_object(conn, 1) == (1, "order", 7015)
        assert [find_asked_object(conn, event_id) for event_id in (2, 99)] == [None, None]

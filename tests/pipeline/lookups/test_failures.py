"""A look-up keeps to the store's budget, waits after failures, and ends after some refusals."""

from __future__ import annotations

import pytest

from pipeline.core.errors import BadCredentials, NotAllowed, RateLimited, ServerFault
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.lookups import count_waiting_lookups, list_due_stores
from pipeline.ledger.schema.lookups import Lookup
from pipeline.ledger.store_apis import find_store_api
from tests.builders import subscription

SECOND = 1_000_000
REFUSED = NotAllowed("GET product_survey_results: answered 405", 405)
INSTANCE = {"id": 64, "variants": []}


@pytest.fixture
def waiting(lookups):
    for number in (1, 2):
        lookups.record("subscription_new", subscription(id=number, product_instance=INSTANCE))
    return lookups


def test_a_budget_that_is_used_up_ends_the_run_and_says_when_to_go_on(waiting):
    waiting.api.failures = [RateLimited(0.5, "used up")]

    assert (waiting.run().resume_in_s, waiting.run().answers) == (0.5, 2)


def test_a_store_that_does_not_answer_is_asked_for_nothing_until_it_may_answer_again(waiting):
    waiting.api.failures = [ServerFault("answered 503", 60.0)]
    run = waiting.run()
    waiting.now += 59 * SECOND
    again = waiting.run()
    waiting.now += 2 * SECOND

    assert (run.error, again.answers, waiting.run().answers) == ("answered 503", 0, 2)


def test_a_request_that_is_refused_does_not_hold_up_the_next(waiting):
    waiting.api.failures = [REFUSED]

    assert waiting.run().answers == 1
    assert sorted(waiting.states().values()) == ["nothing", "waiting"]


def test_a_request_that_is_always_refused_is_given_up_with_the_reason(waiting):
    for _ in range(10):
        waiting.api.failures = [REFUSED, REFUSED]
        waiting.run()
        waiting.now += 3_600 * SECOND

    rows = waiting.recorder.rows(Lookup)
    assert [(row.state, row.reason) for row in rows] == [("failed", str(REFUSED))] * 2


def test_refused_keys_stop_all_lookups_of_the_store(waiting):
    waiting.api.failures = [BadCredentials("refused")]
    waiting.run()
    waiting.now += 2 * 3_600 * SECOND

    with reading(waiting.recorder.engine) as conn:
        api = find_store_api(conn, 1)
        assert (api.status, list_due_stores(conn, waiting.now)) == ("refused", [])
        assert count_waiting_lookups(conn, waiting.now) == (2, 0)


def test_only_one_worker_asks_a_store_at_a_time(waiting):
    waiting.redis.set(redis_keys.lookups_lease(1), "another")

    assert (waiting.run().answers, waiting.api.asked) == (0, [])

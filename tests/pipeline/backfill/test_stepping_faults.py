"""What a store's API can do wrong while it is read, and what a backfill makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.backfill import run as backfill_run
from pipeline.core.errors import RequestRefused
from pipeline.cratejoy.pagination import Page, UnreadableObject
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import find_store_api, record_audit, request_hook_audit, set_hook_registration
from tests.builders import customer
from tests.pipeline.backfill.conftest import SECOND


class Pages:
    """A store whose collections are lists of pages; every other collection is empty."""

    def __init__(self, **collections):
        self._collections = collections
        self.asked = []

    def page(self, resource, _filters=None, next_=None, limit=100, **_):
        self.asked.append((resource, next_))
        pages = self._collections.get(resource, {})
        return Page([], count=len(pages)) if limit == 1 else pages.get(next_, Page([]))


def run(backfill, store):
    """To the end, against this store."""
    for _ in range(50):
        if not backfill.row().is_open:
            break
        backfill.step(open_api=lambda *_: store)
    return backfill.row()


def people(*numbers, **more):
    return Page([customer(id=n, email=f"c{n}@example.com") for n in numbers], **more)


def test_pages_that_lead_in_a_circle_end(backfill):
    backfill.start()
    store = Pages(customers={None: people(1, 2, next="?b"), "?b": people(3, next="?c"), "?c": people(1, next="?b")})

    row = run(backfill, store)

    assert (row.state, backfill.customers_sent()) == ("done", [1, 2, 3])
    assert row.error == "customers: pages repeat, or stay empty"


def test_a_jump_back_and_an_empty_page_are_forgiven(backfill):
    backfill.start()
    pages = {None: people(1, 2, next="?b"), "?b": people(1, 2, next="?c"), "?c": Page([], next="?d"), "?d": people(3)}

    row = run(backfill, Pages(customers=pages))

    assert (row.error, backfill.customers_sent()) == (None, [1, 2, 3])


def test_an_object_that_cannot_be_read_is_counted_and_spoils_no_other(backfill):
    backfill.start()
    page = replace(people(1), unreadable=[UnreadableObject(2, {"email": ["is odd"]})])

    row = run(backfill, Pages(customers={None: page}))

    assert (row.state, row.done["customers"], row.done["unreadable"], backfill.customers_sent()) == ("done", 2, 1, [1])


@pytest.mark.parametrize("status", [500, 503])
def test_a_store_that_is_down_is_asked_again_until_it_is_up(backfill, status):
    customers = backfill.shop.people(3)
    backfill.shop.fault(status=status, times=7, retry_after=0)
    backfill.start()
    backfill.step()
    resting = backfill.row()

    assert (resting.state, resting.attempts) == ("running", 1)
    assert f"answered {status}" in resting.error
    assert (backfill.run().state, backfill.row().error, backfill.customers_sent()) == ("done", None, sorted(customers))


def test_refused_keys_are_tried_again_in_an_hour_and_shown_meanwhile(backfill):
    backfill.shop.fault(auth="revoked", times=1)
    backfill.start()
    asked_at = backfill.clock.now
    backfill.step()

    with reading(backfill.engine) as conn:
        assert find_store_api(conn, backfill.store_id).status == "refused"
    assert backfill.row().next_step_at == asked_at + backfill_run.HOUR_US
    assert backfill.run().state == "done"


def test_a_question_the_store_does_not_take_is_given_up_in_the_end(backfill):
    backfill.start()

    class Refusing:
        def page(self, resource, *_, **__):
            raise RequestRefused(f"GET {resource}: answered 400", 400)

    row = run(backfill, Refusing())

    assert (row.state, row.attempts, row.ended_at) == ("failed", backfill_run.MAX_ATTEMPTS, backfill.clock.now)
    assert row.error == "GET subscriptions: answered 400"


def wanting_hooks(backfill):
    with writing(backfill.engine) as conn:
        set_hook_registration(conn, backfill.store_id, backfill.clock.now, registers=True)
        request_hook_audit(conn, backfill.store_id, backfill.clock.now)


def test_hooks_are_registered_before_anything_is_read(backfill):
    wanting_hooks(backfill)
    backfill.start()
    backfill.step()
    waited = backfill.pages()
    with writing(backfill.engine) as conn:
        set_hook_registration(conn, backfill.store_id, backfill.clock.now, registers=False)
    backfill.step()

    assert waited == []
    assert backfill.pages()


@pytest.mark.on_both_databases
def test_hooks_that_cannot_be_registered_hold_no_one_up_for_ever(backfill):
    wanting_hooks(backfill)
    backfill.start()
    started = backfill.clock.now
    backfill.run()

    assert 60 * SECOND < backfill.clock.now - started < 70 * SECOND


def test_a_store_whose_audit_failed_is_read_all_the_same(backfill):
    wanting_hooks(backfill)
    with writing(backfill.engine) as conn:
        record_audit(conn, backfill.store_id, backfill.clock.now, backfill.clock.now, "away")
    backfill.start()

    assert backfill.run().state == "done"

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


def run(book, store):
    """To the end, against this store."""
    for _ in range(50):
        if not book.row().is_open:
            break
        book.step(open_api=lambda *_: store)
    return book.row()


def people(*numbers, **more):
    return Page([customer(id=n, email=f"c{n}@example.com") for n in numbers], **more)


def test_pages_that_lead_in_a_circle_end(book):
    book.start()
    store = Pages(customers={None: people(1, 2, next="?b"), "?b": people(3, next="?c"), "?c": people(1, next="?b")})

    row = run(book, store)

    assert (row.state, book.customers_sent()) == ("done", [1, 2, 3])
    assert row.error == "customers: pages repeat, or stay empty"


def test_a_jump_back_and_an_empty_page_are_forgiven(book):
    book.start()
    pages = {None: people(1, 2, next="?b"), "?b": people(1, 2, next="?c"), "?c": Page([], next="?d"), "?d": people(3)}

    row = run(book, Pages(customers=pages))

    assert (row.error, book.customers_sent()) == (None, [1, 2, 3])


def test_an_object_that_cannot_be_read_is_counted_and_spoils_no_other(book):
    book.start()
    page = replace(people(1), unreadable=[UnreadableObject(2, {"email": ["is odd"]})])

    row = run(book, Pages(customers={None: page}))

    assert (row.state, row.done["customers"], row.done["unreadable"], book.customers_sent()) == ("done", 2, 1, [1])


@pytest.mark.parametrize("status", [500, 503])
def test_a_store_that_is_down_is_asked_again_until_it_is_up(book, status):
    customers = book.shop.people(3)
    book.shop.fault(status=status, times=7, retry_after=0)
    book.start()
    book.step()
    resting = book.row()

    assert (resting.state, resting.attempts) == ("running", 1)
    assert f"answered {status}" in resting.error
    assert (book.run().state, book.row().error, book.customers_sent()) == ("done", None, sorted(customers))


def test_refused_keys_are_tried_again_in_an_hour_and_shown_meanwhile(book):
    book.shop.fault(auth="revoked", times=1)
    book.start()
    asked_at = book.clock.now
    book.step()

    with reading(book.engine) as conn:
        assert find_store_api(conn, book.store_id).status == "refused"
    assert book.row().next_step_at == asked_at + backfill_run.HOUR_US
    assert book.run().state == "done"


def test_a_question_the_store_does_not_take_is_given_up_in_the_end(book):
    book.start()

    class Refusing:
        def page(self, resource, *_, **__):
            raise RequestRefused(f"GET {resource}: answered 400", 400)

    row = run(book, Refusing())

    assert (row.state, row.attempts, row.ended_at) == ("failed", backfill_run.MAX_ATTEMPTS, book.clock.now)
    assert row.error == "GET subscriptions: answered 400"


def wanting_hooks(book):
    with writing(book.engine) as conn:
        set_hook_registration(conn, book.store_id, book.clock.now, registers=True)
        request_hook_audit(conn, book.store_id, book.clock.now)


def test_hooks_are_registered_before_anything_is_read(book):
    wanting_hooks(book)
    book.start()
    book.step()
    waited = book.pages()
    with writing(book.engine) as conn:
        set_hook_registration(conn, book.store_id, book.clock.now, registers=False)
    book.step()

    assert waited == []
    assert book.pages()


@pytest.mark.on_both_databases
def test_hooks_that_cannot_be_registered_hold_no_one_up_for_ever(book):
    wanting_hooks(book)
    book.start()
    started = book.clock.now
    book.run()

    assert 60 * SECOND < book.clock.now - started < 70 * SECOND


def test_a_store_whose_audit_failed_is_read_all_the_same(book):
    wanting_hooks(book)
    with writing(book.engine) as conn:
        record_audit(conn, book.store_id, book.clock.now, book.clock.now, "away")
    book.start()

    assert book.run().state == "done"

"""A backfill against the sandbox store: every customer once, whatever its pages look like and whatever is killed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from pipeline.backfill import phases, run
from pipeline.core.errors import RateLimited
from pipeline.cratejoy.factory import open_store_client
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.backfills import cancel_backfill, pause_backfill, resume_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.stores import get_store
from pipeline.regulations.erase import ErasureRequest, build_eraser
from tests.pipeline.backfill.conftest import SECOND


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """So that few people make many pages."""
    for module in (phases, run):
        monkeypatch.setattr(module, "PAGE_SIZE", 10)


@pytest.mark.parametrize("switches", [{"page_base": 0}, {"page_base": 1}, {"max_limit": 4}])
def test_every_customer_becomes_one_profile(book, switches):
    book.shop.switch(**switches)
    customers = book.shop.people(23)
    book.start()

    row = book.run()

    assert (row.state, row.error, book.customers_sent()) == ("done", None, sorted(customers))
    assert row.done["customers"] == row.totals["customers"] == 23


def test_a_suppressed_person_is_not_read_again(book):
    customers = book.shop.people(5)
    with reading(book.engine) as conn:
        store = get_store(conn, book.store_id)
    build_eraser(book.context).erase(ErasureRequest(store, f"customer:{customers[0]}", suppress=True))
    book.start()
    row = book.run()

    assert (row.state, book.customers_sent()) == ("done", sorted(customers[1:]))


def test_a_profile_has_what_orders_and_subscriptions_say(book):
    book.shop.people(5)
    book.start()
    book.run()

    sent = [row.message["data"] for row in book.deliveries()]
    subscribed = [one for one in sent if one.get("subscription_status") == "active"]
    assert subscribed
    assert all(one["subscription_plan"] and one["last_order_at"] and one["next_renewal_at"] for one in subscribed)


@pytest.mark.on_both_databases
def test_a_collection_is_listed_once_and_nothing_is_asked_per_customer(book):
    book.shop.people(20)
    book.start()
    book.run()

    asked = {path for _, path, _ in book.shop.asked()}
    assert asked == {"/v1/customers/", "/v1/orders/", "/v1/subscriptions/"}
    assert len(book.pages("customers")) == 3  # the count, and two pages


def test_what_was_counted_first_says_how_far_it_is(book):
    book.shop.people(20)
    book.start()
    while book.row().phase == "counting":
        book.step(replace(book.context, now=iter_clock(book)))

    assert (book.row().totals["customers"], book.row().pages) == (20, 0)


def iter_clock(book):
    """Time flies: every look at the clock is a second later."""

    def now():
        book.clock.now += SECOND
        return book.clock.now

    return now


def test_one_task_leaves_the_worker_to_others_after_a_while(book):
    book.shop.people(20)
    book.start()

    stepped = book.step(replace(book.context, now=iter_clock(book)))

    assert stepped.resume_at == book.row().next_step_at
    assert book.row().state == "running"


def test_a_step_that_was_planned_before_another_was_taken_does_nothing(book):
    book.shop.people(20)
    book.start()
    planned = book.row().next_step_at
    book.step(replace(book.context, now=iter_clock(book)))
    asked = len(book.pages())

    assert run.run_steps(book.context, book.row().id, planned).resume_at is None
    assert len(book.pages()) == asked


def test_while_a_worker_reads_no_other_does(book):
    book.start()
    Lease(book.redis, redis_keys.backfill_lease(book.row().id), "another", 60_000).acquire()

    assert (book.step().resume_at, book.pages()) == (None, [])


@pytest.mark.on_both_databases
def test_two_who_read_the_same_page_write_it_once(book):
    """The lease was lost in between: only the ledger is left to see to it."""
    customers = book.shop.people(12)
    book.start()
    rivals = []

    class Slow:
        def page(self, *asked, **how):
            read = open_store_client(book.context, book.store_id).page(*asked, **how)
            if len(rivals) < 5:
                rivals.append(None)
                book.redis.flushall()
                book.run()
            return read

    book.step(open_api=lambda *_: Slow())

    assert book.customers_sent() == sorted(customers)
    assert book.row().done["customers"] == 12


def test_a_worker_that_dies_before_it_commits_costs_one_page_read_again(book, monkeypatch):
    customers = book.shop.people(30)
    book.start()
    deaths = iter(range(3))
    real = run.write_page

    def dying(*arguments):
        changes = real(*arguments)
        if next(deaths, None) is not None:
            raise OperationalError("the process is gone", None, Exception())
        return changes

    monkeypatch.setattr(run, "write_page", dying)
    for _ in range(3):
        with pytest.raises(OperationalError):
            book.step()
    book.run()

    pages = book.pages()
    assert (book.customers_sent(), len(pages) - len(set(pages))) == (sorted(customers), 3)


@pytest.mark.on_both_databases
def test_a_used_up_budget_is_waited_for_in_the_ledger(book):
    book.start()

    class UsedUp:
        def page(self, *_, **__):
            raise RateLimited(0.4, "used up")

    stepped = book.step(open_api=lambda *_: UsedUp())

    assert stepped.resume_at == book.row().next_step_at == book.clock.now + 400_000
    assert (book.row().waited_us, book.row().throttled_us) == (400_000, 0)


@pytest.mark.on_both_databases
def test_time_waited_for_a_429_is_counted_apart(book):
    book.shop.fault(status=429, times=1, retry_after=7, prefix="/v1/customers")
    book.start()
    book.step()
    after_refusal = book.row()
    asked = len(book.pages())
    book.step()  # the clock is ours, the gate's is not: it is still closed

    assert after_refusal.throttled_us == pytest.approx(7 * SECOND, abs=SECOND)
    assert book.row().throttled_us > after_refusal.throttled_us
    assert (after_refusal.waited_us, len(book.pages())) == (0, asked)


def test_a_paused_backfill_goes_on_where_it_was(book):
    customers = book.shop.people(30)
    book.start()
    book.step(replace(book.context, now=iter_clock(book)))
    with writing(book.engine) as conn:
        pause_backfill(conn, book.store_id, book.clock.now)
    stopped = book.step()
    asked = len(book.pages())
    with writing(book.engine) as conn:
        resume_backfill(conn, book.store_id, book.clock.now)
    book.run()

    pages = book.pages()
    assert (stopped.resume_at, book.customers_sent()) == (None, sorted(customers))
    assert len(set(pages)) == len(pages) > asked


def test_a_page_under_way_when_it_is_cancelled_is_not_written(book):
    book.shop.people(5)
    book.start()

    class Cancelled:
        def page(self, *asked, **how):
            read = open_store_client(book.context, book.store_id).page(*asked, **how)
            with writing(book.engine) as conn:
                cancel_backfill(conn, book.store_id, book.clock.now)
            return read

    book.step(open_api=lambda *_: Cancelled())

    assert (book.row().state, book.row().totals, book.deliveries()) == ("cancelled", {}, [])


def test_the_next_reading_sends_only_people_of_whom_something_changed(book):
    book.shop.people(12)
    book.start()
    book.run()
    before = len(book.deliveries())
    moved = book.shop.running.world.state.rows("customers")
    with book.shop.running.world.state.lock:
        next(iter(moved))["email"] = "moved@example.net"
    newcomers = book.shop.people(2)
    book.clock.now += 3_600 * SECOND
    book.start("incremental")
    book.run()

    later = book.deliveries()[before:]
    assert {row.message["customer_id"] for row in later} >= set(newcomers)
    assert [row.message["email"] for row in later if row.message["customer_id"] not in newcomers] == [
        "moved@example.net"
    ]

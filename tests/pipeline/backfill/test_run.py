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
def test_every_customer_becomes_one_profile(backfill, switches):
    backfill.shop.switch(**switches)
    customers = backfill.shop.people(23)
    backfill.start()

    row = backfill.run()

    assert (row.state, row.error, backfill.customers_sent()) == ("done", None, sorted(customers))
    assert row.done["customers"] == row.totals["customers"] == 23


def test_a_suppressed_person_is_not_read_again(backfill):
    customers = backfill.shop.people(5)
    with reading(backfill.engine) as conn:
        store = get_store(conn, backfill.store_id)
    build_eraser(backfill.context).erase(ErasureRequest(store, f"customer:{customers[0]}", suppress=True))
    backfill.start()
    row = backfill.run()

    assert (row.state, backfill.customers_sent()) == ("done", sorted(customers[1:]))


def test_a_profile_has_what_orders_and_subscriptions_say(backfill):
    backfill.shop.people(5)
    backfill.start()
    backfill.run()

    sent = [row.message["data"] for row in backfill.deliveries()]
    subscribed = [one for one in sent if one.get("subscription_status") == "active"]
    assert subscribed
    assert all(one["subscription_plan"] and one["last_order_at"] and one["next_renewal_at"] for one in subscribed)


@pytest.mark.on_both_databases
def test_a_collection_is_listed_once_and_nothing_is_asked_per_customer(backfill):
    backfill.shop.people(20)
    backfill.start()
    backfill.run()

    asked = {path for _, path, _ in backfill.shop.asked()}
    assert asked == {"/v1/customers/", "/v1/orders/", "/v1/subscriptions/"}
    assert len(backfill.pages("customers")) == 3  # the count, and two pages


def test_what_was_counted_first_says_how_far_it_is(backfill):
    backfill.shop.people(20)
    backfill.start()
    while backfill.row().phase == "counting":
        backfill.step(replace(backfill.context, now=iter_clock(backfill)))

    assert (backfill.row().totals["customers"], backfill.row().pages) == (20, 0)


def iter_clock(backfill):
    """Time flies: every look at the clock is a second later."""

    def now():
        backfill.clock.now += SECOND
        return backfill.clock.now

    return now


def test_one_task_leaves_the_worker_to_others_after_a_while(backfill):
    backfill.shop.people(20)
    backfill.start()

    stepped = backfill.step(replace(backfill.context, now=iter_clock(backfill)))

    assert stepped.resume_at == backfill.row().next_step_at
    assert backfill.row().state == "running"


def test_a_step_that_was_planned_before_another_was_taken_does_nothing(backfill):
    backfill.shop.people(20)
    backfill.start()
    planned = backfill.row().next_step_at
    backfill.step(replace(backfill.context, now=iter_clock(backfill)))
    asked = len(backfill.pages())

    assert run.run_steps(backfill.context, backfill.row().id, planned).resume_at is None
    assert len(backfill.pages()) == asked


def test_while_a_worker_reads_no_other_does(backfill):
    backfill.start()
    Lease(backfill.redis, redis_keys.backfill_lease(backfill.row().id), "another", 60_000).acquire()

    assert (backfill.step().resume_at, backfill.pages()) == (None, [])


@pytest.mark.on_both_databases
def test_two_who_read_the_same_page_write_it_once(backfill):
    """The lease was lost in between: only the ledger is left to see to it."""
    customers = backfill.shop.people(12)
    backfill.start()
    rivals = []

    class Slow:
        def page(self, *asked, **how):
            read = open_store_client(backfill.context, backfill.store_id).page(*asked, **how)
            if len(rivals) < 5:
                rivals.append(None)
                backfill.redis.flushall()
                backfill.run()
            return read

    backfill.step(open_api=lambda *_: Slow())

    assert backfill.customers_sent() == sorted(customers)
    assert backfill.row().done["customers"] == 12


def test_a_worker_that_dies_before_it_commits_costs_one_page_read_again(backfill, monkeypatch):
    customers = backfill.shop.people(30)
    backfill.start()
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
            backfill.step()
    backfill.run()

    pages = backfill.pages()
    assert (backfill.customers_sent(), len(pages) - len(set(pages))) == (sorted(customers), 3)


@pytest.mark.on_both_databases
def test_a_used_up_budget_is_waited_for_in_the_ledger(backfill):
    backfill.start()

    class UsedUp:
        def page(self, *_, **__):
            raise RateLimited(0.4, "used up")

    stepped = backfill.step(open_api=lambda *_: UsedUp())

    assert stepped.resume_at == backfill.row().next_step_at == backfill.clock.now + 400_000
    assert (backfill.row().waited_us, backfill.row().throttled_us) == (400_000, 0)


@pytest.mark.on_both_databases
def test_time_waited_for_a_429_is_counted_apart(backfill):
    backfill.shop.fault(status=429, times=1, retry_after=7, prefix="/v1/customers")
    backfill.start()
    backfill.step()
    after_refusal = backfill.row()
    asked = len(backfill.pages())
    backfill.step()  # the clock is ours, the gate's is not: it is still closed

    assert after_refusal.throttled_us == pytest.approx(7 * SECOND, abs=SECOND)
    assert backfill.row().throttled_us > after_refusal.throttled_us
    assert (after_refusal.waited_us, len(backfill.pages())) == (0, asked)


def test_a_paused_backfill_goes_on_where_it_was(backfill):
    customers = backfill.shop.people(30)
    backfill.start()
    backfill.step(replace(backfill.context, now=iter_clock(backfill)))
    with writing(backfill.engine) as conn:
        pause_backfill(conn, backfill.store_id, backfill.clock.now)
    stopped = backfill.step()
    asked = len(backfill.pages())
    with writing(backfill.engine) as conn:
        resume_backfill(conn, backfill.store_id, backfill.clock.now)
    backfill.run()

    pages = backfill.pages()
    assert (stopped.resume_at, backfill.customers_sent()) == (None, sorted(customers))
    assert len(set(pages)) == len(pages) > asked


def test_a_page_under_way_when_it_is_cancelled_is_not_written(backfill):
    backfill.shop.people(5)
    backfill.start()

    class Cancelled:
        def page(self, *asked, **how):
            read = open_store_client(backfill.context, backfill.store_id).page(*asked, **how)
            with writing(backfill.engine) as conn:
                cancel_backfill(conn, backfill.store_id, backfill.clock.now)
            return read

    backfill.step(open_api=lambda *_: Cancelled())

    assert (backfill.row().state, backfill.row().totals, backfill.deliveries()) == ("cancelled", {}, [])


def test_the_next_reading_sends_only_people_of_whom_something_changed(backfill):
    backfill.shop.people(12)
    backfill.start()
    backfill.run()
    before = len(backfill.deliveries())
    moved = backfill.shop.running.world.state.rows("customers")
    with backfill.shop.running.world.state.lock:
        next(iter(moved))["email"] = "moved@example.net"
    newcomers = backfill.shop.people(2)
    backfill.clock.now += 3_600 * SECOND
    backfill.start("incremental")
    backfill.run()

    later = backfill.deliveries()[before:]
    assert {row.message["customer_id"] for row in later} >= set(newcomers)
    assert [row.message["email"] for row in later if row.message["customer_id"] not in newcomers] == [
        "moved@example.net"
    ]

"""A hook that was deleted at the store is listed by name, until it was seen again and what was missed looked up."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from pipeline.attention.causes import hook_registration
from pipeline.hook_registration.sync import AUDIT_INTERVAL_US
from pipeline.ledger.engine import writing
from pipeline.ledger.hook_findings import record_fix_failure
from pipeline.ledger.monitoring.rows import HOUR_US
from pipeline.ledger.reconciliations import create_missing_reconciliations
from pipeline.ledger.schema.monitoring import HourlyActivity
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.store_apis import set_hook_registration


@pytest.fixture
def items():
    return lambda store_hooks: list(hook_registration.CAUSE.find_items(store_hooks.context))


def later(store_hooks, us=AUDIT_INTERVAL_US):
    store_hooks.clock.now += us
    store_hooks.tend()


def delete(store_hooks, event="order_new"):
    store_hooks.api().delete("hooks", store_hooks.hook(event)["id"])


def test_a_store_that_was_just_connected_needs_nothing(tended, items):
    assert items(tended) == []


def hear(store_hooks, at):
    """A hook of a new order came."""
    with writing(store_hooks.context.engine) as conn:
        hour = at // HOUR_US
        row = {"store_id": 1, "event": "order_new", "hour": hour, "hooks": 1, "first_at": at, "last_at": at}
        conn.execute(insert(HourlyActivity).values(**row))


def test_the_first_hook_of_a_store_does_not_make_its_registration_a_deletion(tended, items):
    hear(tended, tended.clock.now + 1_000_000)
    tended.clock.now += 2_000_000

    assert items(tended) == []


def test_one_hook_that_was_deleted_twice_is_one_hook(tended, items):
    with writing(tended.context.engine) as conn:
        create_missing_reconciliations(conn, ["orders"], 10**15, tended.clock.now)
    for _ in range(2):
        delete(tended)
        later(tended)

    [item] = items(tended)
    assert item.headline == "sunny-box: Cratejoy no longer sends order_new"


def test_a_hook_that_was_deleted_is_named_and_what_was_done_about_it(tended, items):
    delete(tended)
    later(tended)

    [item] = items(tended)
    assert (item.subject, item.audience, item.reason) == ("sunny-box/deleted", "merchant", "order_new")
    assert "Cratejoy no longer sends order_new" in item.headline
    assert item.tried[0].startswith("order_new was registered again at")
    assert tended.as_it_should_be()


def test_a_hook_that_is_seen_again_by_the_next_look_needs_nothing(tended, items):
    delete(tended)
    later(tended)
    later(tended)

    assert items(tended) == []


@pytest.mark.on_both_databases
def test_it_stays_until_what_was_missed_has_been_looked_up(tended, items):
    with writing(tended.context.engine) as conn:
        create_missing_reconciliations(conn, ["orders"], 10**15, tended.clock.now)
    delete(tended)
    later(tended)
    asked_for = tended.clock.now
    later(tended)
    before = items(tended)
    with writing(tended.context.engine) as conn:
        asked = conn.execute(update(Reconciliation).values(done_at=tended.clock.now).returning(Reconciliation.next_at))
        next_at = asked.scalar_one()

    assert (len(before), next_at, items(tended)) == (1, asked_for, [])


def test_hooks_that_the_merchant_had_removed_were_not_deleted(tended, items):
    tended.clock.now += 1
    tended.disconnect()
    tended.tend()
    tended.clock.now += AUDIT_INTERVAL_US
    with writing(tended.context.engine) as conn:
        set_hook_registration(conn, tended.store_id, tended.clock.now, registers=True)
    tended.tend()

    assert (tended.as_it_should_be(), items(tended)) == (True, [])


def test_a_hook_that_cratejoy_refuses_to_take_is_named_with_the_answer(tended, items):
    delete(tended)
    tended.tend(audit_only=True)
    [finding] = [one for one in tended.findings() if one.mended_at is None]
    with writing(tended.context.engine) as conn:
        record_fix_failure(conn, finding.id, "POST hooks: answered 400")

    [item] = items(tended)
    assert item.tried == ("order_new could not be registered again: POST hooks: answered 400.",)

"""The sweep of the kept counts, and what the figures of many stores cost."""

from __future__ import annotations

from pipeline.ledger.counts.changes import add_changes
from pipeline.ledger.counts.fold import KEEP_HOURS
from pipeline.ledger.counts.keys import HOUR_US, CountKey
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.counts import CountChange, HourlyCount
from pipeline.operations import counts
from pipeline.operations.figures import load_figures
from tests.builders import NOW
from tests.contexts import make_context
from tests.pipeline.ledger.rows import add_store
from tests.pipeline.ledger.test_plans import watched


def sweep(shop, later_hours=0):
    return counts.sweep(make_context(shop.engine, shop.redis, lambda: NOW + later_hours * HOUR_US))


def test_a_sweep_with_nothing_to_do_takes_no_lock(quick):
    with watched(quick.engine) as statements:
        sweep(quick)

    assert "BEGIN" in [text for text, _ in statements]
    assert "BEGIN IMMEDIATE" not in [text for text, _ in statements]


def test_a_sweep_folds_what_waits_and_deletes_what_is_old(quick):
    with writing(quick.engine) as conn:
        store_id = add_store(conn).id
        add_changes(conn, {CountKey(store_id, NOW // HOUR_US, "order_new", "forwarded"): 1})
    sweep(quick)
    folded = quick.count(CountChange, HourlyCount)

    assert (folded, sweep(quick, KEEP_HOURS + 1), quick.count(HourlyCount)) == ([0, 1], 1, [0])


def test_the_figures_of_many_stores_take_as_many_queries_as_those_of_one(quick):
    with writing(quick.engine) as conn:
        stores = {store.id: store.name for store in (add_store(conn, f"store-{n}") for n in range(5))}
    asked = []
    for count in (1, 5):
        with reading(quick.engine) as conn, watched(quick.engine) as statements:
            found = load_figures(conn, dict(list(stores.items())[:count]), NOW)
        asked.append((len(found), len(statements)))

    assert [number for number, _ in asked] == [1, 5]
    assert asked[0][1] == asked[1][1]

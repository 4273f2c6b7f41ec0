"""The page of a batch: its forecast, its freeze after a question, and what was changed after it."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from pipeline.core.fulfilment import State
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.batches import list_frozen
from pipeline.ledger.fulfilment.orders import change_order
from pipeline.ledger.fulfilment.work import list_work, save_work
from pipeline.ledger.queries.audit import list_actions
from pipeline.ledger.schema.fulfilment import FulfilmentBatch
from pipeline.ledger.stores import get_store
from tests.builders import NOW
from tests.receiver.pages.warehouse.conftest import HERS, OPERATORS, READERS, WAREHOUSE, add_box

DAY_US = 86_400_000_000
BATCHES = f"{WAREHOUSE}/batches"
BATCH = f"{BATCHES}/22"


def add(conn, store_id, number, state=State.READY, **columns):
    """A box of batch 22, which has just been read whole."""
    of_batch = {"batch_id": 22, "batch_starts_at": NOW - DAY_US, "batch_ends_at": NOW + DAY_US, "fingerprint": "f"}
    return add_box(conn, store_id, number, state, **(of_batch | {"cratejoy_checked_at": NOW} | columns))


@pytest.fixture
def batch(pages, store_id, connected):
    """The owner, whose shop has a batch with two boxes."""
    with writing(pages.site.engine) as conn:
        add(conn, store_id, 1)
        add(conn, store_id, 2, is_gift=True)
    return connected


@pytest.fixture
def frozen(batch, work):
    """The owner, on the page of the batch that she has frozen."""
    batch.go(f"{BATCH}/freeze")
    batch.send()
    work()
    batch.go(BATCH)
    return batch


def test_a_shop_without_batches_says_so_and_one_without_a_warehouse_is_led_to_it(visitor, typed):
    visitor.go(BATCHES)
    without = visitor.where
    visitor.go(f"{WAREHOUSE}/connect/cartrover")
    visitor.send(**typed)
    visitor.go(BATCHES)

    assert (without, "No box of a batch" in visitor.text) == (WAREHOUSE, True)


def test_the_pages_of_the_warehouse_and_of_the_orders_lead_to_the_batches(batch):
    assert f'href="{BATCHES}"' in batch.go(WAREHOUSE)
    assert f'href="{BATCHES}"' in batch.go("/orders")
    assert f'href="{BATCH}"' in batch.go(BATCHES)
    assert "open" in batch.text


def test_a_forecast_waits_for_a_worker_and_then_shows_each_count_with_its_range(batch, work):
    batch.go(BATCH)
    batch.send(f"{BATCH}/forecast")
    asked = batch.text
    work()
    batch.go(BATCH)

    assert "waits for a worker" in asked
    assert f'hx-get="{BATCH}"' not in batch.page
    assert "from 2 paid" in batch.text
    assert "SKU BOX" in batch.text
    assert "gift gifts" in batch.text


def test_a_freeze_is_asked_for_before_it_is_done_and_is_named_after_who_wanted_it(pages, store_id, frozen):
    with reading(pages.site.engine) as conn:
        (row,) = list_frozen(conn, store_id)
        actions = [one.action for one in list_actions(conn, [get_store(conn, store_id).account_id])]

    assert row.digest in frozen.text
    assert f"by {HERS}" in frozen.text
    assert "BOX 4" in frozen.text
    assert "Nothing: each box is as it was frozen" in frozen.text
    assert "batch.frozen" in actions
    assert json.loads(frozen.go(f"{BATCH}/manifest"))[0]["digest"] == row.digest


def test_nothing_is_frozen_without_the_question(pages, batch):
    batch.go(BATCH)
    batch.send(f"{BATCH}/freeze")

    assert (batch.where, "Freeze batch 22?" in batch.text) == (f"{BATCH}/freeze", True)


def test_what_was_changed_after_the_freeze_is_apart_with_its_state(pages, store_id, frozen):
    with writing(pages.site.engine) as conn:
        late = add(conn, store_id, 3)
        change_order(conn, late, NOW, state=State.HELD)
    frozen.go(BATCH)

    assert "1 box: Came after the freeze. SUB-3 held" in frozen.text


def test_a_manifest_that_was_changed_is_not_shown(pages, frozen):
    with writing(pages.site.engine) as conn:
        conn.execute(update(FulfilmentBatch).values(manifest=list_frozen(conn, 1)[0].manifest | {"wave": "x"}))
    frozen.go(BATCH)

    assert "was changed after its freeze" in frozen.text


def test_a_freeze_that_waits_for_cratejoy_says_until_when_and_refreshes_itself(pages, store_id, batch):
    batch.go(f"{BATCH}/freeze")
    batch.send()
    with writing(pages.site.engine) as conn:
        (row,) = list_work(conn, store_id)
        columns = {"state": "running", "reason": "Cratejoy does not answer", "next_turn_at": NOW + 1_000_000}
        save_work(conn, row.id, total=40, done=10, **columns)
    batch.go(BATCH)

    assert "10 of 40 boxes read at Cratejoy. Cratejoy does not answer. It goes on" in batch.text
    assert f'hx-get="{BATCH}"' in batch.page


def test_operators_freeze_and_readers_look(pages, batch):
    found = []
    for who in (OPERATORS, READERS):
        other = pages.logged_in(who)
        shown = "Make the forecast" in other.go(BATCH)
        found.append((shown, other.ask(f"{BATCH}/freeze").status_code))

    assert found == [(True, 200), (False, 403)]


def test_a_batch_that_there_is_not_is_not_found(batch):
    paths = [f"{BATCHES}/23", f"{BATCHES}/23/freeze", f"{BATCH}/manifest"]

    assert [batch.ask(path).status_code for path in paths] == [404, 404, 404]

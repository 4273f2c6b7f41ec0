"""Batches in the ledger: what is expected of one, its freeze, and what is otherwise afterwards."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.core.errors import Misconfigured
from pipeline.core.fulfilment import State
from pipeline.fulfilment.batches import compare_frozen, forecast_batch, freeze_batch
from pipeline.fulfilment.exports import Wanted, export_boxes
from pipeline.fulfilment.rules.manifest import count_skus
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.batches import list_batches
from pipeline.ledger.fulfilment.orders import NewOrder, insert_order
from pipeline.ledger.fulfilment.warehouses import update_warehouse
from pipeline.ledger.schema.fulfilment import FulfilmentBatch
from tests.pipeline.fulfilment.bridge import DAY
from tests.pipeline.fulfilment.test_volume_guard import MANY, load

DAY_US = DAY * 1_000_000
HOUSE = {"street": "1 Test Street", "city": "Testville", "state": "TX", "zip_code": "00000", "country": "US"}


class Planner:
    """A store that sells boxes of one batch, whose end is some weeks away."""

    def __init__(self, bridge) -> None:
        self.bridge = bridge
        self.at = bridge.context, bridge.store_id

    def sell(self, **sale) -> int:
        shipment = self.bridge.sell(billing="standard", target=self.bridge.iso(3 * DAY), **sale)
        self.bridge.search()
        return shipment

    def batch_id(self) -> int:
        with reading(self.bridge.engine) as conn:
            return list_batches(conn, self.bridge.store_id)[0].batch_id

    def freeze(self):
        return freeze_batch(*self.at, self.batch_id())

    def compare(self):
        with reading(self.bridge.engine) as conn:
            return compare_frozen(conn, self.bridge.store_id, self.batch_id())

    def changes(self) -> dict[str, tuple[str, str]]:
        (found,) = self.compare()
        return {one.order_number: (one.code, one.state.value) for one in found.changes}


@pytest.fixture
def planner(bridge) -> Planner:
    return Planner(bridge)


def test_the_forecast_counts_the_boxes_that_are_known_by_what_is_in_them_and_where_they_go(planner):
    first = planner.sell()
    planner.sell(gift={"name": "Example Recipient"})
    (line,) = planner.bridge.box(first).lines
    made = forecast_batch(*planner.at)

    assert (made.batch.boxes, made.known) == (2, {"paid": 2})
    assert made.expected.by_sku[line["sku"]].has(line["quantity"])
    assert line["description"] in made.expected.by_variant
    assert set(made.expected.by_gift) == {"gift", "no_gift"}
    assert planner.bridge.box(first).country in made.expected.by_country


def put(bridge, number, batch, state=State.CONFIRMED, *, subscription, seen_days=0):
    """A box of the batch that ends so many days from now, seen so many days ago."""
    now = bridge.clock()
    new = NewOrder(bridge.store_id, number, f"SUB-{number}", "subscription", "standard", state)
    columns = {"batch_id": batch, "batch_ends_at": now + (batch - 20) * 30 * DAY_US + 10 * DAY_US}
    lines = [{"sku": "BOX", "quantity": 1, "description": "Tea Box"}]
    with writing(bridge.engine) as conn:
        columns |= {"subscription_id": subscription, "lines": lines, "country": "US"}
        insert_order(conn, new, now - seen_days * DAY_US, **columns)


def test_a_subscription_with_a_box_in_the_batch_before_may_renew(planner):
    for subscription in (1, 2):
        put(planner.bridge, subscription, 19, subscription=subscription)
    put(planner.bridge, 3, 20, State.READY, subscription=1)
    made = forecast_batch(*planner.at)

    assert (made.batch.batch_id, made.known) == (20, {"paid": 1, "renewal": 1})
    assert made.expected.total.has(2)


def test_earlier_batches_say_how_much_a_batch_still_moves(planner):
    with writing(planner.bridge.engine) as conn:
        update_warehouse(conn, planner.bridge.store_id, created_at=0)
    put(planner.bridge, 1, 18, subscription=1)  # renewed late in 19
    put(planner.bridge, 2, 19, subscription=1, seen_days=21)
    put(planner.bridge, 3, 19, subscription=2, seen_days=40)
    put(planner.bridge, 4, 19, subscription=3, seen_days=21)  # joined late
    put(planner.bridge, 5, 20, State.READY, subscription=2)
    made = forecast_batch(*planner.at)

    assert (made.past, made.known) == (2, {"paid": 1, "renewal": 2})
    assert made.expected.total.high > 3


def test_what_cratejoy_has_not_shown_before_the_end_is_still_expected_after_it(planner):
    put(planner.bridge, 1, 20, State.READY, subscription=1)
    planner.bridge.skip(12 * DAY)
    made = forecast_batch(*planner.at, 20)

    assert made.expected.total.high > made.batch.boxes


def test_a_forecast_without_a_batch_says_so(planner):
    with pytest.raises(Misconfigured, match="no batch ends after now"):
        forecast_batch(*planner.at)


def test_a_frozen_batch_has_its_boxes_and_a_hash(planner):
    numbers = sorted(f"SUB-{planner.sell()}" for _ in range(2))
    (frozen,) = planner.freeze()

    assert [entry.order_number for entry in frozen.manifest.entries] == numbers
    assert (frozen.row.boxes, len(frozen.row.digest)) == (2, 64)
    assert sum(count_skus(frozen.manifest).values()) == 2
    assert planner.changes() == {}


def test_what_happens_after_the_freeze_is_apart_with_its_state(planner):
    kept, cancelled, moved = (planner.sell() for _ in range(3))
    planner.freeze()
    planner.bridge.do("shipments", cancelled, "cancel")
    planner.bridge.do("shipments", moved, "address", **HOUSE)
    planner.bridge.hint(("shipment", cancelled), ("shipment", moved))
    late = planner.sell()

    assert planner.changes() == {
        f"SUB-{cancelled}": ("cancelled", "cancelled"),
        f"SUB-{moved}": ("address_changed", "discovered"),
        f"SUB-{late}": ("latecomer", "discovered"),
    }
    assert f"SUB-{kept}" not in planner.changes()


def test_a_batch_is_frozen_once(planner):
    planner.sell()
    planner.freeze()

    with pytest.raises(Misconfigured, match="frozen already"):
        planner.freeze()


def test_a_manifest_that_was_changed_is_refused(planner):
    planner.sell()
    (frozen,) = planner.freeze()
    with writing(planner.bridge.engine) as conn:
        conn.execute(update(FulfilmentBatch).values(manifest={**frozen.row.manifest, "entries": []}))

    with pytest.raises(Misconfigured, match="its hash does not fit"):
        planner.compare()


def test_gifts_are_a_batch_of_their_own(planner):
    planner.bridge.set(waves="Gifts = gift")
    planner.sell()
    gift = planner.sell(gift={"name": "Example Recipient"})
    planner.freeze()
    late = planner.sell(gift={"name": "Example Recipient"})
    found = {one.row.wave: one for one in planner.compare()}

    assert {wave: one.row.boxes for wave, one in found.items()} == {"Gifts": 1, "rest": 1}
    assert [entry.order_number for entry in found["Gifts"].manifest.entries] == [f"SUB-{gift}"]
    assert [one.order_number for one in found["Gifts"].changes] == [f"SUB-{late}"]
    assert found["rest"].changes == ()


def test_an_export_of_a_frozen_batch_has_its_boxes_alone(make_bridge):
    bridge = make_bridge("spreadsheet", standard_date_basis="adjusted_ordered_at")
    bridge.go_live()
    planner = Planner(bridge)
    planner.sell()
    (frozen,) = planner.freeze()
    planner.sell()
    batch_id = frozen.row.batch_id

    assert export_boxes(*planner.at, Wanted(batch_id=batch_id)).boxes == 1
    with pytest.raises(Misconfigured, match="no frozen wave"):
        export_boxes(*planner.at, Wanted(batch_id=batch_id, wave="Gifts"))


def test_a_second_load_of_a_frozen_batch_is_stopped(bridge):
    load(bridge, MANY, batch_id=5)
    freeze_batch_at_once(bridge, 5)
    bridge.skip(60)
    bridge.run("deliver")
    assert bridge.is_paused() is None

    load(bridge, 3 * MANY, batch_id=5)
    bridge.skip(2 * 3_600)
    bridge.run("deliver")
    assert "boxes of batch 5" in bridge.is_paused()


def freeze_batch_at_once(bridge, batch_id):
    """Freeze boxes that Cratejoy does not have."""
    with writing(bridge.engine) as conn:
        conn.execute(
            FulfilmentBatch.__table__.insert().values(
                store_id=bridge.store_id,
                batch_id=batch_id,
                wave="",
                frozen_at=bridge.clock(),
                boxes=MANY,
                digest="",
                manifest={},
            )
        )

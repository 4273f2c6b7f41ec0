"""However a person's history is mixed up on its way, the profile that results is the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pipeline.ledger.engine import make_engine
from pipeline.ledger.schema import core
from pipeline.recording.batch import record_batch
from tests.builders import HOUR, NOW, customer, gift_order, order, shipment, subscription
from tests.pipeline.recording.conftest import HookRecorder


def box(number: int, **variants: str) -> dict[str, Any]:
    return {"id": number, "variants": [{"name": name, "value": value} for name, value in variants.items()]}


HISTORY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("customer_new", customer(num_orders=0)),
    ("order_new", order(id=1, total=1000)),
    ("subscription_new", subscription(id=10, product_instance=box(64, Size="M", Flavour="Mint"))),
    ("order_updated", order(id=1, total=1000, financial_status="partially_refunded", refunded_amount=300)),
    ("subscription_renewed", subscription(id=10, end_date="2026-05-15T00:00:00Z")),
    ("customer_updated", customer(first_name="Beatrix", num_orders=2)),
    ("order_new", gift_order(id=2)),
    ("shipment_shipped", shipment(id=20)),
    ("subscription_updated", subscription(id=10, product_instance=box(65, Size="L"))),
    ("subscription_cancelled", subscription(id=10, status="cancelled", autorenew=False)),
)
PERMUTATIONS = 1_000


def profiles(recorder: HookRecorder, mixed: list[int], cut: int) -> dict[str, Any]:
    """What is known of all people when the hooks, each received at its own time, come in this order, in two batches.

    Nothing is committed: the next order begins with an empty ledger too.
    """
    hooks = [recorder.hook(*HISTORY[number], at=NOW + number * HOUR) for number in mixed]
    raws = {hook["entry_id"]: (b"raw", None) for hook in hooks}
    with recorder.engine.connect() as db:
        for batch in (hooks[:cut], hooks[cut:]):
            record_batch(db, batch, [], raws, token=None, now=NOW)
        found = {row.email: row.attributes for row in db.execute(select(core.Person.__table__))}
        db.rollback()
    return found


@pytest.mark.timeout(600)
def test_every_order_of_arrival_gives_the_same_profile(migrated_sqlite: Path, tmp_path: Path):
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    recorder = HookRecorder(make_engine(f"sqlite:///{tmp_path / 'ledger.db'}"))
    places = range(len(HISTORY))
    in_order = profiles(recorder, list(places), len(HISTORY))

    @settings(max_examples=PERMUTATIONS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.permutations(places), st.sampled_from(places))
    def same(mixed: list[int], cut: int) -> None:
        assert profiles(recorder, mixed, cut) == in_order

    same()
    recorder.engine.dispose()

"""A batch about several stores leaves the ledger as the same hooks do in batches of one store each.

The stores use the same few numbers and addresses, so whatever takes a row of one for another's shows.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from pipeline.ledger.engine import make_engine
from pipeline.ledger.schema import core
from pipeline.ledger.schema.base import Base
from tests.builders import customer, gift_info, order, shipment, subscription
from tests.pipeline.recording.conftest import HookRecorder

STORES = {1: "acme", 2: "bolt"}
_FILES = count()

numbers = st.integers(1, 2)
people = numbers.map(lambda number: customer(id=number, email=f"p{number}@example.com"))
gifts = st.one_of(st.none(), numbers.map(lambda number: gift_info(gift_recipient_email=f"p{number}@example.com")))


@st.composite
def bodies(draw) -> tuple[str, dict[str, Any]]:
    """An event and its body, small enough that hooks meet: customers who are recipients, boxes before gifts."""
    number, who, gift = draw(numbers), draw(people), draw(gifts)
    boxes = [{"id": number, "subscription_id": draw(numbers), "is_test": False}]
    link = {"id": who["id"], "link": "/v1/customers"}
    return draw(
        st.sampled_from(
            [
                ("customer_new", who),
                ("address_updated", who | {"email": f"p{number}@example.com"}),
                ("order_new", order(id=number, customer=who, is_gift=gift is not None, order_gift_info=gift)),
                ("order_updated", order(id=number, customer=link)),
                ("subscription_new", subscription(id=number, customer=who, subscription_gift_info=gift)),
                ("shipment_shipped", shipment(id=number, customer=link, fulfillments=boxes)),
                ("transaction_new", {"transaction": {"id": number}, "order": {"id": draw(numbers)}}),
            ]
        )
    )


hooks = st.lists(st.tuples(st.sampled_from(sorted(STORES)), bodies()), min_size=4, max_size=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mixed")


@settings(max_examples=25)
@given(batches=st.lists(hooks, min_size=2, max_size=3))
def test_a_mixed_batch_leaves_what_batches_of_one_store_leave(migrated_sqlite, folder, batches):
    mixed, apart = make_recorder(migrated_sqlite, folder), make_recorder(migrated_sqlite, folder)
    for batch in batches:
        batch_hooks = [(store, mixed.hook(*body, store=STORES[store])) for store, body in batch]
        mixed.record(*(hook for _, hook in batch_hooks))
        for wanted in STORES:
            apart.record(*(hook for store, hook in batch_hooks if store == wanted))

    assert {store: get_rows(mixed, store) for store in STORES} == {store: get_rows(apart, store) for store in STORES}
    mixed.engine.dispose()
    apart.engine.dispose()


def make_recorder(migrated: Path, folder: Path) -> HookRecorder:
    """An empty ledger with two stores."""
    path = folder / f"{next(_FILES)}.conn"
    shutil.copy(migrated, path)
    engine = make_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    made = HookRecorder(engine)
    made.add_store(2, STORES[2])
    return made


def get_rows(recorder: HookRecorder, store: int) -> dict[str, list[dict[str, Any]]]:
    """All rows of a store. What the ledger numbers is numbered anew within the store."""
    events, persons = (
        {row.id: place for place, row in enumerate(row for row in recorder.rows(model) if row.store_id == store)}
        for model in (core.Event, core.Person)
    )
    again = {"event_id": events, "person_id": persons}
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for model in Base.__subclasses__():
        own = events if model is core.Event else persons if model is core.Person else {}
        for row in recorder.rows(model):
            values = row._asdict()
            if is_of(values, store, again):
                renamed = {name: again[name].get(value, value) for name, value in values.items() if name in again}
                found[model.__tablename__].append(values | renamed | {"id": own.get(values.get("id"))})
    return found


def is_of(values: dict[str, Any], store: int, again: dict[str, dict[int, int]]) -> bool:
    if "store_id" in values:
        return values["store_id"] == store
    return any(name in values and values[name] in known for name, known in again.items())

"""Batches of a shop's boxes: the forecast of one, its freeze, and what became of it after that."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

from marshmallow import fields, validate

from pipeline.core.fulfilment import State
from pipeline.fulfilment.batches import FrozenBatch, compare_frozen
from pipeline.fulfilment.rules.forecast import Certainty
from pipeline.fulfilment.rules.manifest import CHANGES, count_skus
from pipeline.fulfilment.work import request_forecast, request_freeze
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.batches import BatchLine, count_frozen, list_batches, list_frozen
from pipeline.ledger.fulfilment.work import find_last_work
from receiver.api.caller import find_shop, get_actor, get_context
from receiver.api.fields import Body, Document, Moment, RowId, page_of
from receiver.api.problems import Problem, not_found
from receiver.api.resource import Answer, Resource, count_field, describe, view
from receiver.api.warehouses import get_row
from receiver.api.work import EXAMPLE as WORK_EXAMPLE
from receiver.api.work import WorkSchema, build_work

FROZEN_ONCE = "A batch is frozen once, and stays so. Send `confirm` as true to do it."
blueprint = Resource("batches", __name__, description="Batches of boxes: no names and no addresses.")


class BatchSchema(Document):
    """A batch of Cratejoy, as its boxes show it."""

    batch_id = RowId(required=True, metadata=describe("Cratejoy's."))
    starts_at = Moment(required=True, allow_none=True)
    ends_at = Moment(required=True, allow_none=True)
    boxes = count_field("Boxes that are known of it.")
    frozen_boxes = fields.Integer(
        required=True, allow_none=True, metadata=describe("How many it was frozen with; null: it is not frozen.")
    )


class RangeSchema(Document):
    """A count, with the range in which it may still move."""

    low = fields.Integer(required=True)
    likely = fields.Integer(required=True)
    high = fields.Integer(required=True)


def _ranges(text: str) -> fields.Dict:
    return fields.Dict(fields.String(), fields.Nested(RangeSchema), required=True, metadata=describe(text))


class ExpectedSchema(Document):
    """What a batch will have."""

    total = fields.Nested(RangeSchema, required=True, metadata=describe("Boxes."))
    by_sku = _ranges("Pieces.")
    by_variant = _ranges("Pieces.")
    by_gift = _ranges("Boxes.")
    by_country = _ranges("Boxes.")


class ForecastSchema(Document):
    """What is expected of a batch."""

    shop = fields.String(required=True)
    batch = fields.Nested(BatchSchema, required=True)
    at = Moment(required=True)
    known = fields.Dict(
        fields.String(validate=validate.OneOf(get_args(Certainty))),
        fields.Integer(),
        required=True,
        metadata=describe("Its boxes now, by how sure they are: sent, paid, held, or a renewal that may come."),
    )
    expected = fields.Nested(ExpectedSchema, required=True)
    past = count_field("Earlier batches that it was made from.")


class BatchChangeSchema(Document):
    """What became of a box after the freeze."""

    order_number = fields.String(required=True)
    code = fields.String(required=True, validate=validate.OneOf(sorted(CHANGES)))
    text = fields.String(required=True)
    state = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf([state.value for state in State]),
        metadata=describe("null: the batch has it no more."),
    )


class FrozenBatchSchema(Document):
    """A batch, or one of its waves, as it was frozen, and what is otherwise now."""

    batch_id = RowId(required=True)
    wave = fields.String(required=True, metadata=describe("Of the settings; empty: the batch is in one piece."))
    frozen_at = Moment(required=True)
    boxes = count_field("Boxes at the freeze.")
    digest = fields.String(required=True, metadata=describe("SHA-256 of the manifest."))
    skus = fields.Dict(fields.String(), fields.Integer(), required=True, metadata=describe("Pieces, by SKU."))
    changes = fields.List(fields.Nested(BatchChangeSchema), required=True)
    manifest = fields.Dict(required=True, metadata=describe("The boxes by number, as they were frozen; times in µs."))


class FreezeBody(Body):
    """A freeze. It cannot be taken back."""

    confirm = fields.Boolean(load_default=False, metadata=describe("true: the batch is frozen as it is now."))


EXAMPLE = {
    "batch_id": "22",
    "starts_at": "2026-11-01T00:00:00.000000Z",
    "ends_at": "2026-12-01T00:00:00.000000Z",
    "boxes": 214,
    "frozen_boxes": None,
}
_RANGE = {"low": 214, "likely": 221, "high": 230}
FORECAST_EXAMPLE = {
    "shop": "acme",
    "batch": EXAMPLE,
    "at": "2026-11-28T09:00:00.000000Z",
    "known": {"paid": 214, "renewal": 12},
    "expected": {
        "total": _RANGE,
        "by_sku": {"TEA-M": _RANGE},
        "by_variant": {"Size: M": _RANGE},
        "by_gift": {"no gift": _RANGE},
        "by_country": {"US": _RANGE},
    },
    "past": 3,
}
FROZEN_EXAMPLE = {
    "batch_id": "22",
    "wave": "",
    "frozen_at": "2026-11-30T12:00:00.000000Z",
    "boxes": 1,
    "digest": "ab" * 32,
    "skus": {"TEA-M": 1},
    "changes": [
        {"order_number": "SUB-90000001", "code": "cancelled", "text": CHANGES["cancelled"], "state": "cancelled"}
    ],
    "manifest": {
        "version": 1,
        "batch_id": 22,
        "frozen_at": 1796040000000000,
        "wave": "",
        "entries": [
            {
                "order_number": "SUB-90000001",
                "shipment_id": 90000001,
                "fingerprint": "cd" * 32,
                "country": "US",
                "is_gift": False,
                "lines": [["TEA-M", 1]],
            }
        ],
        "digest": "ab" * 32,
    },
}
BatchPage = page_of(BatchSchema, "BatchPage")
FrozenBatchPage = page_of(FrozenBatchSchema, "FrozenBatchPage")


@view(
    blueprint,
    "/warehouses/<name:shop>/batches",
    "read",
    Answer(BatchPage, {"items": [EXAMPLE], "next_cursor": None}),
)
def index(shop: str) -> dict[str, Any]:
    """List batches

    All of a shop, the one that ends last first.
    """
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
        found, frozen = list_batches(conn, shop_id), count_frozen(conn, shop_id)
    return {"items": [_build(one, frozen) for one in found], "next_cursor": None}


@view(
    blueprint,
    "/warehouses/<name:shop>/batches/<row_id:batch_id>/forecast",
    "read",
    Answer(ForecastSchema, FORECAST_EXAMPLE),
)
def show_forecast(shop: str, batch_id: int) -> dict[str, Any]:
    """Show what a batch will have

    By SKU, variant, gift and country, each with the range in which it may still move, as it was expected last. 404
    before that was asked for.
    """
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        made = find_last_work(conn, shop_id, f"forecast {batch_id}", "done")
        frozen = count_frozen(conn, shop_id)
    if made is None:
        raise not_found()
    batch = made.result["batch"] | {"frozen_boxes": frozen.get(batch_id)}
    return {"shop": shop, **made.result, "batch": batch}


@view(
    blueprint,
    "/warehouses/<name:shop>/batches/<row_id:batch_id>/forecast",
    "replay",
    Answer(WorkSchema, {**WORK_EXAMPLE, "kind": "forecast"}, status=202),
    method="POST",
)
def forecast(shop: str, batch_id: int) -> dict[str, Any]:
    """Forecast a batch

    A worker does it; ask for the work that is returned until it is done, and then for the forecast.
    """
    shop_id = _find_batch(shop, batch_id)
    return build_work(request_forecast(get_context(), shop_id, batch_id, get_actor()), shop)


@view(
    blueprint,
    "/warehouses/<name:shop>/batches/<row_id:batch_id>/freeze",
    "replay",
    Answer(WorkSchema, WORK_EXAMPLE, status=202),
    method="POST",
    body=FreezeBody,
    body_example={"confirm": True},
)
def freeze(body: dict[str, Any], shop: str, batch_id: int) -> dict[str, Any]:
    """Freeze a batch

    Writes down which boxes are in it, each wave by itself, with a hash. A worker reads first what was not read for an
    hour; ask for the work that is returned until it is done.
    """
    shop_id = _find_batch(shop, batch_id)
    if not body["confirm"]:
        raise Problem(409, FROZEN_ONCE)
    return build_work(request_freeze(get_context(), shop_id, batch_id, get_actor()), shop)


@view(
    blueprint,
    "/warehouses/<name:shop>/batches/<row_id:batch_id>",
    "read",
    Answer(FrozenBatchPage, {"items": [FROZEN_EXAMPLE], "next_cursor": None}),
    may_refuse=True,
)
def show(shop: str, batch_id: int) -> dict[str, Any]:
    """Show a frozen batch

    Each wave with its manifest, and what is otherwise by now. 404 while the batch is not frozen.
    """
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
        if not list_frozen(conn, shop_id, batch_id):
            raise not_found()
        found = compare_frozen(conn, shop_id, batch_id)
    return {"items": [_build_frozen(one) for one in found], "next_cursor": None}


def _find_batch(shop: str, batch_id: int) -> int:
    """The id of a shop of the caller that has this batch."""
    with reading(get_context().engine) as conn:
        shop_id = find_shop(conn, shop)
        get_row(conn, shop_id)
        if all(one.batch_id != batch_id for one in list_batches(conn, shop_id)):
            raise not_found()
    return shop_id


def _build(batch: BatchLine, frozen: dict[int, int]) -> dict[str, Any]:
    return {**asdict(batch), "frozen_boxes": frozen.get(batch.batch_id)}


def _build_frozen(one: FrozenBatch) -> dict[str, Any]:
    names = ("batch_id", "wave", "frozen_at", "boxes", "digest", "manifest")
    return {
        **{name: getattr(one.row, name) for name in names},
        "skus": count_skus(one.manifest),
        "changes": [asdict(change) | {"text": CHANGES[change.code]} for change in one.changes],
    }

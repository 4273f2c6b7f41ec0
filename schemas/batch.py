"""A shipment batch: the boxes of one product that are packed together after its end."""

from __future__ import annotations

from typing import ClassVar

from schemas.base import Resource, ResourceData
from schemas.fields import Id, Time


class Batch(ResourceData, total=False):
    """A batch, as loaded."""

    product_billing_id: int | None
    start: str | None
    end: str | None


class BatchSchema(Resource):
    """A batch, as sent."""

    aliases: ClassVar = {"start_date": "start", "end_date": "end"}  # the names in a page about v1.1

    product_billing_id = Id()
    start = Time()
    end = Time()

"""A shipping label bought through the store."""

from __future__ import annotations

from typing import Any

from schemas.base import Resource, ResourceData
from schemas.fields import AnyValue, Flag, Money, Number, Text, Time


class Label(ResourceData, total=False):
    """A label, as loaded."""

    api: Any
    carrier: str | None
    cost: int | None
    created_at: str | None
    ezp_created_at: str | None
    ezp_updated_at: str | None
    filetype: Any
    financial_status: Any
    height: float | None
    length: float | None
    width: float | None
    is_test: bool | None
    is_void: bool | None
    overlay_cdn: Any
    overlay_s3: Any
    predefined_package: Any
    prepaid: bool | None
    tracking: str | None


class LabelSchema(Resource):
    """A label, as sent."""

    api = AnyValue()
    carrier = Text()
    cost = Money()
    created_at = Time()
    ezp_created_at = Time()
    ezp_updated_at = Time()
    filetype = AnyValue()
    financial_status = AnyValue()  # 2 is "unpaid" in the docs and stands on prepaid labels in captured payloads
    height = Number()
    length = Number()
    width = Number()
    is_test = Flag()
    is_void = Flag()
    overlay_cdn = AnyValue()
    overlay_s3 = AnyValue()
    predefined_package = AnyValue()
    prepaid = Flag()
    tracking = Text()

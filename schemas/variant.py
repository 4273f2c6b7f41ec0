"""A variant of a product instance, such as its size: a name and a value, in either of the API's two shapes."""

from __future__ import annotations

from schemas.base import Body, Resource, ResourceData
from schemas.fields import Text
from schemas.report import Report, Trail


class Variant(ResourceData, total=False):
    """A variant, as loaded."""

    name: str | None
    value: str | None


class VariantSchema(Resource):
    """A variant, as sent."""

    name = Text()
    value = Text()

    def reshaped(self, body: Body, report: Report, trail: Trail) -> Body:
        body = super().reshaped(body, report, trail)
        for key, part in (("variant_type", "name"), ("variant_value", "value")):
            # v1 writes {"variant_type": {"name": …}, "variant_value": {"value": …}}.
            if isinstance(body.get(key), dict):
                body = {name: value for name, value in body.items() if name != key} | {part: body[key].get(part)}
        if "type" in body and "name" not in body:
            # v1.1 writes {"type": …, "value": …}.
            body = {name: value for name, value in body.items() if name != "type"} | {"name": body["type"]}
        return body

"""An object nobody has documented: passes as it is, made safe for JSON."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from schemas.base import Body, WireSchema
from schemas.clean import json_safe
from schemas.report import Report, Trail


class AnySchema(WireSchema):
    """Anything, as sent."""

    def read(self, body: Body, report: Report, trail: Trail) -> dict[str, Any]:
        try:
            return dict(json_safe(body, len(trail)))
        except ValidationError as error:
            report.error(trail, *map(str, error.messages))
            return {}

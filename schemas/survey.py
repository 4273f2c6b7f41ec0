"""A subscriber's answers to a product survey, in either of the API's two shapes."""

from __future__ import annotations

from typing import Any, ClassVar

from schemas.base import Body, Resource, ResourceData
from schemas.fields import AnyValue, Id, Text, Time
from schemas.relations import ToMany
from schemas.report import Report, Trail


class SurveyAnswer(ResourceData, total=False):
    """One answer, as loaded."""

    question: str | None
    answer: Any
    field_id: Any
    options: Any


class SurveyAnswerSchema(Resource):
    """One answer, as sent."""

    aliases: ClassVar = {"value": "answer"}

    type = AnyValue()  # v1: a number, v1.1: a word
    question = Text()
    answer = AnyValue()  # several choices are joined with "|"
    field_id = AnyValue()
    options = AnyValue()

    def reshape(self, body: Body, report: Report, trail: Trail) -> Body:
        body = super().reshape(body, report, trail)
        field = body.get("field")
        if not isinstance(field, dict):
            return body
        # v1 writes {"field": {"id", "name", "type", "options"}, "value"}; v1.1 {"question", "type", "answer"}.
        names = {"field_id": "id", "question": "name", "type": "type", "options": "options"}
        rest = {key: value for key, value in body.items() if key != "field"}
        return rest | {name: field[key] for name, key in names.items() if key in field and name not in rest}


class Survey(ResourceData, total=False):
    """A survey, as loaded."""

    survey_name: str | None
    subscription_id: int | None
    created_at: str | None
    answers: list[SurveyAnswer] | None


class SurveySchema(Resource):
    """A survey, as sent."""

    survey_name = Text()
    subscription_id = Id()
    created_at = Time()
    answers = ToMany("survey_answer")

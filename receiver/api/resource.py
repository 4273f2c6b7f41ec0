"""How a view of the API is declared: its address, scope, query, body and answer, and what the document says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields
from webargs.flaskparser import FlaskParser

from pipeline.ledger.api_tokens import Scope
from receiver.api.caller import needs
from receiver.api.fields import Cursor, Figure, Moment, RowId
from receiver.api.problems import ProblemSchema, handle_http_error
from receiver.problem_details import PROBLEM_TYPE

View = Callable[..., Any]
_ERRORS = {
    401: "There is no token, or one that does not count.",
    403: "The token lacks the scope.",
    404: "There is no such thing, or it is another account's.",
    422: "A value cannot be used.",
    503: "A server does not answer; `Retry-After` says for how many seconds to wait.",
    429: "The token's limit is reached; `Retry-After` says for how many seconds.",
}
_OF_BODIES = {400: "The body is not JSON."}
_OF_FILES = {413: "The file is too large.", 415: "The body is a form; send the file itself."}
_OF_ACTIONS = {409: "What was asked is refused; `detail` says why, and nothing has changed."}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view answers with. `example`: of the body."""

    schema: type[Schema] | None
    example: Any = None
    status: int = 200
    description: str = "As asked."
    content_type: str | None = None


class StrictParser(FlaskParser):
    """Refuses parameters that are unknown, as the schemas say: a misspelt filter must not list everything."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - declared so by webargs


class Resource(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """A resource of the API: the views under one path."""

    ARGUMENTS_PARSER = StrictParser()


class ProblemApi(Api):  # type: ignore[misc]  # as above
    """flask-smorest, with problems as errors."""

    ERROR_SCHEMA = ProblemSchema

    def handle_http_exception(self, error: Exception) -> Response:
        """Answer with a problem."""
        return handle_http_error(error)


def add_fields(api: Api) -> None:
    """Say what our fields are in an OpenAPI document."""
    api.register_field(Moment, "string", "date-time")
    api.register_field(RowId, "string", None)
    api.register_field(Cursor, "string", None)
    api.register_field(Figure, "number", None)


def view(  # noqa: PLR0913 - what a view has
    blueprint: Resource,
    rule: str,
    scope: Scope,
    answer: Answer,
    *,
    method: str = "GET",
    query: type[Schema] | None = None,
    body: type[Schema] | None = None,
    body_example: Any = None,
    raw_body: Mapping[str, Any] | None = None,
    may_refuse: bool = False,
) -> Callable[[View], View]:
    """Declare a view. It is passed its query and its body as dicts, and then what its rule has.

    `raw_body`: of a body that is not JSON, what the document says. `may_refuse`: a GET that answers with 409, too.
    """

    def declare(function: View) -> View:
        found = needs(scope)(function)
        if body is not None:
            found = blueprint.arguments(body, location="json", example=body_example)(found)
        if query is not None:
            found = blueprint.arguments(query, location="query")(found)
        found = blueprint.response(
            answer.status,
            answer.schema,
            description=answer.description,
            example=answer.example,
            content_type=answer.content_type,
        )(found)
        errors = {
            **(_OF_BODIES if body else {}),
            **(_OF_FILES if raw_body else {}),
            **_ERRORS,
            **(_OF_ACTIONS if method != "GET" or may_refuse else {}),
        }
        for status, text in errors.items():
            found = blueprint.alt_response(status, schema=ProblemSchema, content_type=PROBLEM_TYPE, description=text)(
                found
            )
        more = {"x-scope": scope, **({"requestBody": raw_body} if raw_body else {})}
        found = blueprint.doc(security=[{"bearer": [scope]}], **more)(found)
        routed: View = blueprint.route(rule, methods=[method])(found)
        return routed

    return declare


def describe(text: str, **more: Any) -> dict[str, Any]:
    """Return the metadata of a field."""
    return {"description": text, **more}


def count_field(text: str) -> fields.Integer:
    """Return a field with a number of things."""
    return fields.Integer(required=True, metadata=describe(text))

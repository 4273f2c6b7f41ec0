"""Every error of the API as problem details, with what the caller can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response
from marshmallow import Schema, fields
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError

from pipeline.core.errors import CratewireError
from receiver.problem_details import PROBLEM_TYPE, build_problem, encode_problem

RETRY_AFTER_S = 5
log = structlog.get_logger(__name__)

DETAILS = {  # of errors that Flask raises by itself
    400: "The body is not JSON.",
    404: "There is nothing at this address, or it is not yours to see.",
    405: "This address does not take this method; `Allow` names those it takes.",
    413: "The body is too large.",
    415: "Send the body as JSON, with `Content-Type: application/json`.",
    422: "The request has values that cannot be used; `errors` names each.",
    500: "Something went wrong here. The error has been logged.",
    503: "The database does not answer at the moment. Hooks are still accepted. Please try again later.",
}


class FieldErrorSchema(Schema):
    """One value that cannot be used."""

    field = fields.String(required=True, metadata={"example": "limit"})
    detail = fields.String(required=True, metadata={"example": "Must be greater than or equal to 1."})


class ProblemSchema(Schema):
    """Problem details (RFC 9457)."""

    type = fields.String(required=True, metadata={"example": "about:blank"})
    title = fields.String(required=True, metadata={"example": "Not Found"})
    status = fields.Integer(required=True, metadata={"example": 404})
    detail = fields.String(required=True, metadata={"example": DETAILS[404]})
    errors = fields.List(fields.Nested(FieldErrorSchema), metadata={"description": "Which values cannot be used."})


class Problem(Exception):
    """An error to answer with. `headers`: for the response; `more`: further members of the body."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def not_found() -> Problem:
    """The error for what does not exist, and for what is another account's."""
    return Problem(404, DETAILS[404])


def bad_values(errors: Mapping[str, str]) -> Problem:
    """The error for values that cannot be used: which member of the body -> why not."""
    listed = [{"field": name, "detail": detail} for name, detail in errors.items()]
    return Problem(422, DETAILS[422], errors=listed)


def add_problem_handlers(app: Flask) -> None:
    """Answer every error of the application with a problem."""
    app.register_error_handler(Problem, _handle_problem)
    app.register_error_handler(HTTPException, handle_http_error)
    app.register_error_handler(CratewireError, _handle_refusal)
    app.register_error_handler(SQLAlchemyError, _handle_server_away)
    app.register_error_handler(RedisError, _handle_server_away)
    app.register_error_handler(InternalServerError, _handle_exception)


def build_response(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """Build the response of a problem."""
    body = encode_problem(build_problem(status, detail, **more))
    return Response(body, status, dict(headers or {}), content_type=PROBLEM_TYPE)


def _handle_problem(problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101 - Flask passes what was registered
    return build_response(problem.status, problem.detail, problem.headers, **problem.more)


def handle_http_error(error: Exception) -> Response:
    """Answer an HTTP error, with the errors of validation if it has any."""
    code = getattr(error, "code", None) or 500
    headers = {}
    if isinstance(error, HTTPException):
        headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    messages = (getattr(error, "data", None) or {}).get("messages")
    more = {"errors": list(_flatten(messages))} if messages else {}
    return build_response(code, DETAILS.get(code, getattr(error, "description", None) or DETAILS[500]), headers, **more)


def _handle_refusal(error: Exception) -> Response:
    """What an operation refuses: its message says why, and holds no personal data."""
    return build_response(409, f"{error}.")


def _handle_server_away(error: Exception) -> Response:
    log.error("the API could not use a server", error=type(error).__name__)
    return build_response(503, DETAILS[503], {"Retry-After": str(RETRY_AFTER_S)})


def _handle_exception(error: Exception) -> Response:
    log.error("the API failed", exc_info=getattr(error, "original_exception", None) or error)
    return build_response(500, DETAILS[500])


def _flatten(messages: Any, field: str = "") -> Any:
    """The errors of webargs, `{location: {field: [detail]}}`, one by one."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            is_location = not field and name in ("json", "query", "json_or_form", "headers")
            yield from _flatten(inner, "" if is_location else f"{field}.{name}".lstrip("."))
        return
    for detail in messages if isinstance(messages, list) else [messages]:
        yield {"field": field or "body", "detail": str(detail)}

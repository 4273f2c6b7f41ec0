"""What an answer of the REST API means that is not a success: .NET exceptions as JSON with PascalCase members."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    CancelAnswer,
    Cancelled,
    CreateAnswer,
    Invalid,
    NotFound,
    Order,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    Trouble,
)
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.calls import parse_rate_limit, parse_read_fault, parse_write_fault, read_object
from pipeline.warehouses.json_texts import as_rows

# No rate limit is documented; use is metered by the amount of data.
RATE_WAIT_S = 30.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _BAD_REQUEST = 401, 403, 404, 400
_WRONG_ADDRESS = frozenset({404, 405, 410})
_FIRST_ERROR_STATUS = 400


@dataclass(frozen=True, slots=True)
class Problem:
    """An exception: the last part of its `$type`, its code, and the properties or parameters that it names."""

    kind: str
    code: str
    properties: tuple[tuple[str, str], ...]  # (name, value as sent)


def read_problem(response: HTTPResponse) -> Problem | None:
    """Return the exception that the answer describes, or None."""
    body = read_object(response)
    if body is None or not isinstance(body.get("$type"), str):
        return None
    kind = body["$type"].partition(",")[0].rpartition(".")[2]
    rows = [row for name in ("Properties", "Parameters") for row in as_rows(body.get(name))]
    named = tuple((str(row.get("Name") or ""), str(row.get("Value") or "")) for row in rows)
    return Problem(kind, str(body.get("ErrorCode") or ""), named)


def parse_success(response: HTTPResponse | Trouble) -> HTTPResponse | Trouble | NotFound:
    """Return an answer to a reading that is a success, or what stands in the way."""
    if not isinstance(response, HTTPResponse):
        return response
    fault = _parse_refusal(response) or parse_read_fault(response)
    if fault is not None:
        return fault
    if response.status is None or response.status < _FIRST_ERROR_STATUS:
        return response
    problem = read_problem(response)
    if problem is None:
        return Retryable(_name_foreign(response))
    return NotFound() if response.status == _NOT_FOUND else Retryable(problem.code or f"answered {response.status}")


def parse_create_problem(response: HTTPResponse | Trouble, order: Order) -> CreateAnswer | None:
    """Return why an order was not taken, or None if it was."""
    if not isinstance(response, HTTPResponse):
        return response
    fault = _parse_refusal(response) or parse_write_fault(response)
    if fault is not None:
        return fault
    if response.status in _WRONG_ADDRESS:
        return AuthError(f"answered {response.status}: there is no API at this address")
    if response.status is not None and response.status >= _FIRST_ERROR_STATUS:
        return _parse_invalid(response, order)
    return None


def parse_cancel_problem(response: HTTPResponse | Trouble, *, is_on_hold: bool) -> CancelAnswer | None:
    """Return why an order was not cancelled, or None if it was. 412 is not judged here."""
    if not isinstance(response, HTTPResponse):
        return response
    fault = _parse_refusal(response, role="OrderWrite") or parse_write_fault(response)
    if fault is not None or response.status is None or response.status < _FIRST_ERROR_STATUS:
        return fault
    problem = read_problem(response)
    if problem is None:
        return OutcomeUnknown(_name_foreign(response))
    if response.status == _NOT_FOUND or problem.code == "OrderCanceled":
        return NotFound() if response.status == _NOT_FOUND else Cancelled()
    is_held = is_on_hold and response.status == _FORBIDDEN
    return Refused("on_hold" if is_held else problem.code or f"answered {response.status}")


def _name_foreign(response: HTTPResponse) -> str:
    """Return the reason for an answer without an exception of the API: a proxy's, which says nothing of the order."""
    return f"answered {response.status}, and not by the API"


def _parse_refusal(response: HTTPResponse, role: str = "") -> AuthError | RateLimited | None:
    if response.status == _UNAUTHORIZED:
        return AuthError("the credentials were refused (401)")
    if response.status == _FORBIDDEN:
        return _parse_forbidden(read_problem(response), role)
    return parse_rate_limit(response, RATE_WAIT_S)


def _parse_forbidden(problem: Problem | None, role: str) -> AuthError | None:
    if problem is not None and problem.kind == "OperationException":
        return None
    if problem is not None and problem.kind == "AuthorizationException":
        return AuthError(f"the role {role} is missing (403)" if role else "a role is missing (403)")
    return AuthError("forbidden (403)") if problem is None else None


def _parse_invalid(response: HTTPResponse, order: Order) -> CreateAnswer:
    problem = read_problem(response)
    if problem is None:
        return OutcomeUnknown(_name_foreign(response))
    names = {name.rpartition(".")[2].lower() for name, _ in problem.properties}
    if problem.code == "Duplicate" and (not names or "referencenum" in names):
        return AlreadyExists()
    code = problem.code or problem.kind or f"answered {response.status}"
    skus = {line.sku for line in order.lines}
    # A SKU is no personal data, and what a person has to know.
    fields = ((name or "order", f"{code}: {value}" if value in skus else code) for name, value in problem.properties)
    return Invalid(tuple(fields) or (("order", code),))

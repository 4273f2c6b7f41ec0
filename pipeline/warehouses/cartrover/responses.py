"""What an answer of the Cart API means. Nearly every answer is a 200: its body has `success_code`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    CreateAnswer,
    Created,
    Invalid,
    NotFound,
    Order,
    OutcomeUnknown,
    RateLimited,
    Retryable,
    Trouble,
)
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.calls import parse_rate_limit, parse_read_fault, parse_write_fault, read_object
from pipeline.warehouses.refusals import scrub_refusal

# The bucket of 100 calls gets one more each 0.6 s (CartRover API documentation): five calls' worth.
RATE_WAIT_S = 3.0
_TOO_MANY_REQUESTS_WAIT_S = 5.0
_REFUSED = frozenset({401, 403})
_FIELD = re.compile(r"\b(?:cust|ship|items?|order|requested|gift|sub|sales|grand|currency|custom|line)_[a-z0-9_]+\b")
# The words about an order that there is not. Others, such as an item or a shipping method, are not found, too.
_ABSENT = re.compile(
    r"\b(?:order|cust_ref|record|(?:sub-)?\d+(?:-r\d+)?)\b(?! (?:source|type|item|line|status)s?\b)[^.;]{0,80}?"
    r"\b(?:not found|does not exist)\b|\b(?:no such|unknown) order\b(?! source)|^\W*not found\b",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"^\W*(?:the )?(?:merchant|account|cart|order source|api user|user|client)\b[^.;]{0,80}?"
    r"\b(?:not found|does not exist|unknown|inactive|disabled)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Body:
    """A readable answer. `code` and `message`: of a failure, "Invalid" or "Failure", and CartRover's words."""

    is_success: bool
    fields: Mapping[str, Any] = field(repr=False)
    code: str = ""
    message: str = field(default="", repr=False)

    @property
    def says_absent(self) -> bool:
        """Whether the failure is that there is no such order. Its code is not documented, so the words decide."""
        return not self.is_success and bool(_ABSENT.search(self.message))


def parse_read(response: HTTPResponse | RateLimited) -> Body | Trouble:
    """Return the body of a read, or what stands in the way."""
    if isinstance(response, RateLimited):
        return response
    return _parse_common(response) or parse_read_fault(response) or _parse_body(response) or _unreadable(response)


def parse_write(response: HTTPResponse | RateLimited) -> Body | Trouble | OutcomeUnknown:
    """Return the body of a call that changes something, or what stands in the way."""
    if isinstance(response, RateLimited):
        return response
    read = _parse_common(response) or parse_write_fault(response) or _parse_body(response)
    return read or OutcomeUnknown(_unreadable(response).reason)


def parse_created(response: HTTPResponse | RateLimited, order: Order) -> CreateAnswer:
    """Return what became of a new order."""
    body = parse_write(response)
    if not isinstance(body, Body):
        return body
    if body.is_success:
        return Created(order.order_number)
    return AlreadyExists() if "duplicate" in body.message.lower() else parse_invalid(body, order)


def parse_invalid(body: Body, order: Order | None = None) -> Invalid:
    """Return the fields that a failure names, each with CartRover's words, without the order's personal data."""
    text = scrub_refusal(body.message, order) if order else ""
    why = f"{body.code}: {text}" if text else body.code or "refused"
    return Invalid(tuple((name, why) for name in dict.fromkeys(_FIELD.findall(body.message))) or (("order", why),))


def parse_row(response: HTTPResponse | RateLimited) -> Mapping[str, Any] | NotFound | Trouble:
    """Return the row of a read of one order."""
    body = parse_read(response)
    if not isinstance(body, Body):
        return body
    if body.says_absent:
        return NotFound()
    row = body.fields.get("response")
    row = row[0] if isinstance(row, list) and len(row) == 1 else row
    if body.is_success and isinstance(row, dict) and row:
        return row
    return NotFound() if body.is_success and row in (None, [], {}) else Retryable(f"unreadable: {body.code}")


def _parse_common(response: HTTPResponse) -> AuthError | RateLimited | None:
    if response.status in _REFUSED:
        return AuthError(f"API user and key do not fit ({response.status})")
    return parse_rate_limit(response, _TOO_MANY_REQUESTS_WAIT_S)


def _parse_body(response: HTTPResponse) -> Body | RateLimited | AuthError | None:
    fields = read_object(response)
    if fields is None or "success_code" not in fields:
        return None
    if fields["success_code"] is True or str(fields["success_code"]).lower() in {"true", "1"}:
        return Body(is_success=True, fields=fields)
    code = fields.get("error_code")
    if code == "RateLimit":
        return RateLimited(RATE_WAIT_S, doubles=True)
    words = _words(fields)
    if _ACCOUNT.search(words):
        return AuthError("Integration Manager does not know the account of these keys")
    return Body(is_success=False, fields=fields, code=code if isinstance(code, str) else "", message=words)


def _words(fields: Mapping[str, Any]) -> str:
    """Return `message`, or `status_message` as older texts of the documentation call it, and the details."""
    texts = (fields.get("message") or fields.get("status_message"), fields.get("error_response"))
    return "; ".join(text for text in texts if isinstance(text, str) and text)


def _unreadable(response: HTTPResponse) -> Retryable:
    return Retryable(f"answered {response.status} without a readable body")

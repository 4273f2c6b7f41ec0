"""What the answer to a message of ours means. A message may be repeated: its receiver takes each id once."""

from __future__ import annotations

from dataclasses import replace

from pipeline.core.fulfilment import (
    AlreadyExists,
    AuthError,
    CancelAnswer,
    Cancelled,
    CancelPending,
    CreateAnswer,
    Created,
    FindAnswer,
    Invalid,
    NotFound,
    Order,
    RateLimited,
    Refused,
    Retryable,
    Trouble,
)
from pipeline.infra.http.client import HTTPResponse
from pipeline.redaction.scrub import scrub
from pipeline.warehouses.calls import parse_rate_limit, parse_read_fault, read_object
from pipeline.warehouses.refusals import scrub_refusal
from pipeline.warehouses.signed_webhook.incoming import parse_errors, parse_order

RATE_WAIT_S = 5.0
_NOT_FOUND, _NOT_ALLOWED, _CONFLICT, _GONE = 404, 405, 409, 410
_PAUSING = {
    401: "the signature was refused (401)",
    403: "the signature was refused (403)",
    _GONE: "the warehouse has switched its address off (410)",
}
_LATER = frozenset({408, 425})
_FIRST_ERROR_STATUS = 400


def parse_created(response: HTTPResponse | RateLimited, order: Order) -> CreateAnswer:
    """Return what became of `order.create`."""
    answer = _read(response)
    if not isinstance(answer, HTTPResponse):
        return answer
    body = read_object(answer)
    if answer.status == _CONFLICT:
        found = parse_order({"order_number": order.order_number, **(body or {})}, "open") if body else None
        return AlreadyExists(found if found and found.order_number == order.order_number else None)
    if answer.status in {_NOT_FOUND, _NOT_ALLOWED}:
        return AuthError(f"answered {answer.status}: nothing takes orders at this address")
    if answer.status is not None and answer.status >= _FIRST_ERROR_STATUS:
        return _hide(parse_errors(body), order) if body else Invalid((("order", f"answered {answer.status}"),))
    external_id = (body or {}).get("external_id")
    return Created(str(external_id) if isinstance(external_id, str | int) else "")


def parse_cancelled(response: HTTPResponse | RateLimited) -> CancelAnswer:
    """Return what became of `order.cancel`. Only "cancelled" says that it is done; it may also be said later."""
    answer = _read(response)
    if not isinstance(answer, HTTPResponse):
        return answer
    if answer.status == _NOT_FOUND:
        return NotFound()
    body = read_object(answer) or {}
    if answer.status is not None and answer.status >= _FIRST_ERROR_STATUS:
        reason = body.get("reason")
        return Refused(scrub(reason) if isinstance(reason, str) and reason else f"answered {answer.status}")
    return Cancelled() if body.get("status") == "cancelled" else CancelPending()


def parse_found(response: HTTPResponse | RateLimited, order_number: str) -> FindAnswer:
    """Return what became of `order.query`."""
    answer = _read(response)
    if not isinstance(answer, HTTPResponse):
        return answer
    if answer.status == _NOT_FOUND:
        return NotFound()
    if answer.status is not None and answer.status >= _FIRST_ERROR_STATUS:
        return Retryable(f"answered {answer.status}")
    found = parse_order(read_object(answer) or {})
    if found is None:
        return Retryable("answered without the order")
    return found if found.order_number == order_number else Retryable("answered with another order")


def _read(response: HTTPResponse | RateLimited) -> HTTPResponse | Trouble:
    """Return the answer to the message, or what is none: no response, a redirect, a proxy, a server in trouble."""
    if isinstance(response, RateLimited):
        return response
    if response.status in _PAUSING:
        return AuthError(_PAUSING[response.status])
    limit = parse_rate_limit(response, RATE_WAIT_S)
    if limit is not None:
        return limit
    fault = Retryable(f"answered {response.status}") if _comes_from_between(response) else parse_read_fault(response)
    if isinstance(fault, Retryable):
        return replace(fault, may_be_done=response.fault != "not_sent")
    return fault or response


def _comes_from_between(response: HTTPResponse) -> bool:
    """Return whether a proxy has answered: with a page, where the receiver's answers are JSON, or for being early."""
    is_page = response.status != _NOT_FOUND and response.body.lstrip().startswith("<")
    return response.status in _LATER or (is_page and response.status is not None and response.status // 100 in {2, 4})


def _hide(invalid: Invalid, order: Order) -> Invalid:
    return Invalid(tuple((scrub_refusal(name, order), scrub_refusal(why, order)) for name, why in invalid.fields))

"""What an answer of the Merchant API means: its JSON, or the error of ours that says who has to act."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from pipeline.core.backoff import parse_retry_after
from pipeline.core.errors import (
    BadCredentials,
    BadResponse,
    CratewireError,
    NotAllowed,
    NotFound,
    RequestRefused,
    ServerFault,
    Unreachable,
    WrongAddress,
)
from pipeline.destinations.error_text import scrub
from pipeline.infra.http.client import HTTPResponse
from pipeline.infra.http.faults import NOT_PUBLIC

TOO_MANY_REQUESTS = 429
_URL = re.compile(r"(?:[a-z]{2,10}:)?//[^\s'\"<>]+", re.IGNORECASE)  # a hook's is a secret
_MIN_SERVER_ERROR = 500


def raise_for_status(answer: HTTPResponse, what: str) -> None:
    """Raise the error of an answer that is no success. `what`: method and path, for the message.

    Only 403 is documented for refused keys; a server with Basic auth would send 401. The status alone decides. What a
    request was refused for is added in the store's words, where it says so as documented.
    """
    if answer.error == NOT_PUBLIC:
        raise WrongAddress("the address of the Merchant API is not public, and may only be called for trying out")
    if answer.status is None:
        raise Unreachable(f"{what}: {answer.error or 'no answer'}")
    if is_refusal(answer):
        judge = _ERROR_BY_STATUS.get(answer.status) or _ERROR_BY_STATUS_CLASS.get(
            answer.status // 100, _unexpected_error
        )
        raise judge(f"{what}: answered {answer.status}", answer)


def parse_json(answer: HTTPResponse, what: str) -> Any:
    """The JSON of a success."""
    if not answer.whole:
        raise BadResponse(f"{what}: the answer broke off, or is too long")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise BadResponse(f"{what}: the answer is not JSON") from None  # the cause holds the body


def get_retry_after_s(answer: HTTPResponse) -> float | None:
    """Seconds from the answer's Retry-After. None: it names none that can be used."""
    at = (answer.started_at + answer.duration_us) / 1_000_000
    return parse_retry_after(answer.headers.get("retry-after"), at)


def is_refusal(answer: HTTPResponse) -> bool:
    """Whether it answered, but did not do what was asked."""
    return answer.status is not None and answer.status // 100 != 2  # noqa: PLR2004 - the successes


def is_rate_accepted(answer: HTTPResponse) -> bool:
    """Whether the rate, at least, was all right: any answer but a 429 and a failure of the server's."""
    return answer.status is not None and answer.status < _MIN_SERVER_ERROR and answer.status != TOO_MANY_REQUESTS


def _redirect_error(text: str, _: HTTPResponse) -> CratewireError:
    return WrongAddress(f"{text}: the Merchant API never redirects, so this is not its address")


def _credentials_error(text: str, answer: HTTPResponse) -> CratewireError:
    return BadCredentials(f"Cratejoy refused the Client ID and Secret ({answer.status}); {text}")


def _refusal_error(text: str, answer: HTTPResponse) -> CratewireError:
    return RequestRefused(_with_reason(text, answer), answer.status or 0)


def _with_reason(text: str, answer: HTTPResponse) -> str:
    """The text with the store's `{"errors": ["Unknown property 'x'", …]}`, without addresses of people or of hooks.

    Other bodies have no documented shape and may quote what was asked, so they are not read.
    """
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return text
    errors = said.get("errors") if isinstance(said, dict) else None
    reasons = [one for one in errors if isinstance(one, str)] if isinstance(errors, list) else []
    shown = scrub(_URL.sub("[address]", "; ".join(reasons)))
    return f"{text}: {shown}" if shown else text


def _server_error(text: str, answer: HTTPResponse) -> CratewireError:
    return ServerFault(text, get_retry_after_s(answer))


def _unexpected_error(text: str, _: HTTPResponse) -> CratewireError:
    return BadResponse(text)


_ERROR_BY_STATUS_CLASS: dict[int, Callable[[str, HTTPResponse], CratewireError]] = {
    3: _redirect_error,
    4: _refusal_error,
    5: _server_error,
}
_ERROR_BY_STATUS: dict[int, Callable[[str, HTTPResponse], CratewireError]] = {
    401: _credentials_error,
    403: _credentials_error,
    404: lambda text, _: NotFound(text, 404),
    405: lambda text, answer: NotAllowed(_with_reason(text, answer), 405),
    408: _server_error,  # the server, or something before it, waited too long
}

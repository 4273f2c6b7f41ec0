"""What a response of the Merchant API means: its JSON, or our error that says who has to act."""

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
from pipeline.infra.http.client import HTTPResponse
from pipeline.infra.http.faults import NOT_PUBLIC
from pipeline.redaction.scrub import scrub

TOO_MANY_REQUESTS = 429
_URL = re.compile(r"(?:[a-z]{2,10}:)?//[^\s'\"<>]+", re.IGNORECASE)  # the URL of a hook is a secret
_MIN_SERVER_ERROR = 500


def raise_for_status(response: HTTPResponse, what: str) -> None:
    """Raise the error of a response that is no success. `what`: method and path, for the message.

    Only 403 is documented for refused keys; a server with Basic auth would send 401. The status alone decides. The
    store's reasons for a refusal are added to the message, if the body has the documented shape.
    """
    if response.error == NOT_PUBLIC:
        raise WrongAddress("the address of the Merchant API is not public, and may only be called for trying out")
    if response.status is None:
        raise Unreachable(f"{what}: {response.error or 'no answer'}")
    if is_refusal(response):
        build_error = _ERROR_BY_STATUS.get(response.status) or _ERROR_BY_STATUS_CLASS.get(
            response.status // 100, _unexpected_error
        )
        raise build_error(f"{what}: answered {response.status}", response)


def parse_json(response: HTTPResponse, what: str) -> Any:
    """Parse the JSON of a successful response. Raises BadResponse."""
    if not response.is_complete:
        raise BadResponse(f"{what}: the answer broke off, or is too long")
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        raise BadResponse(f"{what}: the answer is not JSON") from None  # the cause contains the body


def get_retry_after_s(response: HTTPResponse) -> float | None:
    """The seconds of the response's Retry-After; None if there is none that can be used."""
    at = (response.started_at + response.duration_us) / 1_000_000
    return parse_retry_after(response.headers.get("retry-after"), at)


def is_refusal(response: HTTPResponse) -> bool:
    """Whether the store has answered and refused the request."""
    return response.status is not None and response.status // 100 != 2  # noqa: PLR2004 - the successes


def is_rate_accepted(response: HTTPResponse) -> bool:
    """Whether the rate was accepted: any status except 429 and server errors."""
    return response.status is not None and response.status < _MIN_SERVER_ERROR and response.status != TOO_MANY_REQUESTS


def _redirect_error(text: str, _: HTTPResponse) -> CratewireError:
    return WrongAddress(f"{text}: the Merchant API never redirects, so this is not its address")


def _credentials_error(text: str, response: HTTPResponse) -> CratewireError:
    return BadCredentials(f"Cratejoy refused the Client ID and Secret ({response.status}); {text}")


def _refusal_error(text: str, response: HTTPResponse) -> CratewireError:
    return RequestRefused(_with_reason(text, response), response.status or 0)


def _with_reason(text: str, response: HTTPResponse) -> str:
    """The text with the store's `{"errors": ["Unknown property 'x'", …]}`, without e-mail addresses and URLs of hooks.

    Other bodies have no documented shape and may quote the request, so they are not read.
    """
    try:
        content = json.loads(response.body)
    except (ValueError, RecursionError):
        return text
    errors = content.get("errors") if isinstance(content, dict) else None
    reasons = [reason for reason in errors if isinstance(reason, str)] if isinstance(errors, list) else []
    shown = scrub(_URL.sub("[address]", "; ".join(reasons)))
    return f"{text}: {shown}" if shown else text


def _server_error(text: str, response: HTTPResponse) -> CratewireError:
    return ServerFault(text, get_retry_after_s(response))


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
    405: lambda text, response: NotAllowed(_with_reason(text, response), 405),
    408: _server_error,  # the server, or a proxy before it, waited too long
}

"""What an answer of the Merchant API means: its JSON, or the error of ours that says who has to act."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from pipeline.destinations.vendor_text import scrubbed
from pipeline.errors import (
    BadAnswer,
    BadCredentials,
    CratewireError,
    NotAllowed,
    NotFound,
    RequestRefused,
    ServerFault,
    Unreachable,
    WrongAddress,
)
from pipeline.http import Answer
from pipeline.lanes.backoff import parse_retry_after
from pipeline.transport_faults import NOT_PUBLIC

THROTTLED = 429
_URL = re.compile(r"(?:[a-z]{2,10}:)?//[^\s'\"<>]+", re.IGNORECASE)  # a hook's is a secret
_FAILURES = 500


def check(answer: Answer, what: str) -> None:
    """Raise the error of an answer that is no success. `what`: method and path, for the message.

    Only 403 is documented for refused keys; a server with Basic auth would send 401. The status alone decides. What a
    request was refused for is added in the store's words, where it says so as documented.
    """
    if answer.error == NOT_PUBLIC:
        raise WrongAddress("the address of the Merchant API is not public, and may only be called for trying out")
    if answer.status is None:
        raise Unreachable(f"{what}: {answer.error or 'no answer'}")
    if is_refusal(answer):
        judge = _BY_STATUS.get(answer.status) or _BY_HUNDRED.get(answer.status // 100, _odd)
        raise judge(f"{what}: answered {answer.status}", answer)


def json_in(answer: Answer, what: str) -> Any:
    """The JSON of a success."""
    if not answer.whole:
        raise BadAnswer(f"{what}: the answer broke off, or is too long")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise BadAnswer(f"{what}: the answer is not JSON") from None  # the cause holds the body


def told_to_wait(answer: Answer) -> float | None:
    """Seconds from the answer's Retry-After. None: it names none that can be used."""
    at = (answer.started_at + answer.duration_us) / 1_000_000
    return parse_retry_after(answer.headers.get("retry-after"), at)


def is_refusal(answer: Answer) -> bool:
    """Whether it answered, but did not do what was asked."""
    return answer.status is not None and answer.status // 100 != 2  # noqa: PLR2004 - the successes


def is_taken(answer: Answer) -> bool:
    """Whether the rate, at least, was all right: any answer but a 429 and a failure of the server's."""
    return answer.status is not None and answer.status < _FAILURES and answer.status != THROTTLED


def _redirected(text: str, _: Answer) -> CratewireError:
    return WrongAddress(f"{text}: the Merchant API never redirects, so this is not its address")


def _refused_keys(text: str, answer: Answer) -> CratewireError:
    return BadCredentials(f"Cratejoy refused the Client ID and Secret ({answer.status}); {text}")


def _refused(text: str, answer: Answer) -> CratewireError:
    return RequestRefused(_with_reason(text, answer), answer.status or 0)


def _with_reason(text: str, answer: Answer) -> str:
    """The text with the store's `{"errors": ["Unknown property 'x'", …]}`, without addresses of people or of hooks.

    Other bodies have no documented shape and may quote what was asked, so they are not read.
    """
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return text
    errors = said.get("errors") if isinstance(said, dict) else None
    reasons = [one for one in errors if isinstance(one, str)] if isinstance(errors, list) else []
    shown = scrubbed(_URL.sub("[address]", "; ".join(reasons)))
    return f"{text}: {shown}" if shown else text


def _failed(text: str, answer: Answer) -> CratewireError:
    return ServerFault(text, told_to_wait(answer))


def _odd(text: str, _: Answer) -> CratewireError:
    return BadAnswer(text)


_BY_HUNDRED: dict[int, Callable[[str, Answer], CratewireError]] = {3: _redirected, 4: _refused, 5: _failed}
_BY_STATUS: dict[int, Callable[[str, Answer], CratewireError]] = {
    401: _refused_keys,
    403: _refused_keys,
    404: lambda text, _: NotFound(text, 404),
    405: lambda text, answer: NotAllowed(_with_reason(text, answer), 405),
    408: _failed,  # the server, or something before it, waited too long
}

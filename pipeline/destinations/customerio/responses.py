"""What a response of the Track API means for the items of the call."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from pipeline.core.messages import ConnectionBroken, Outcome, Rejected, RetryAfter, Sent
from pipeline.destinations.error_text import entry_text
from pipeline.destinations.outcomes import refused, retry_later, too_large
from pipeline.infra.http.client import HTTPResponse
from pipeline.redaction.scrub import scrub

MULTI_STATUS = 207
_NOT_FOUND_STATUSES = frozenset({404, 405, 410})


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return one outcome for all items of a call. A 200 of the API means accepted, whatever its body lacks."""
    if response.status is None:
        return RetryAfter(None, response.error or "no answer")
    parse = _BY_STATUS.get(response.status) or _BY_STATUS_CLASS.get(response.status // 100, retry_later)
    return parse(response)


def parse_batch_outcome(response: HTTPResponse) -> Outcome:
    """Return the outcome of a batch. Its path holds no identifier, so a 404 means that the base URL is wrong."""
    if response.status in _NOT_FOUND_STATUSES:
        return ConnectionBroken(f"answered {response.status}: there is no Track API at this address")
    return parse_outcome(response)


def may_split(response: HTTPResponse) -> bool:
    """Return whether a single bad item, or too many items, may have made the whole call fail."""
    return response.status is not None and 400 <= response.status < 500  # noqa: PLR2004 - the client-error range


def parse_refused_items(response: HTTPResponse, items: int) -> dict[int, Rejected] | None:
    """Return the items that a 207 refuses, by position in the call, or None if its body cannot be read."""
    entries = _parse_errors(response)
    if entries is None:
        return None
    texts: dict[int, list[str]] = defaultdict(list)  # several errors may concern one item
    for entry in entries:
        index = entry.get("batch_index") if isinstance(entry, dict) else None
        if type(index) is int and 0 <= index < items:
            texts[index].append(entry_text(entry))
    return {index: Rejected("refused", scrub("; ".join(filter(None, parts)))) for index, parts in texts.items()}


def _parse_errors(response: HTTPResponse) -> list[Any] | None:
    try:
        body = json.loads(response.body) if response.is_complete else None
    except (ValueError, RecursionError):
        return None
    errors = body.get("errors") if isinstance(body, dict) else None
    return errors if isinstance(errors, list) else None


def _sent(response: HTTPResponse) -> Outcome:
    """Return Sent, unless the body is an HTML page: the API answers in JSON or with an empty body, so a page comes from
    a proxy and the items were probably not accepted. If they were, their ids make the repetition harmless.
    """
    if response.body.lstrip().startswith("<"):
        return RetryAfter(None, f"answered {response.status} with a page: something stands between us and Customer.io")
    return Sent()


def _redirected(response: HTTPResponse) -> Outcome:
    return ConnectionBroken(f"redirected ({response.status}): the account probably lives in another region")


def _credentials(response: HTTPResponse) -> Outcome:
    return ConnectionBroken(f"the credentials were refused ({response.status})")


_BY_STATUS_CLASS: dict[int, Callable[[HTTPResponse], Outcome]] = {2: _sent, 3: _redirected, 4: refused}
_BY_STATUS: dict[int, Callable[[HTTPResponse], Outcome]] = {
    401: _credentials,
    403: _credentials,
    408: retry_later,
    413: too_large,
    425: retry_later,
    429: retry_later,
    501: refused,  # these three are permanent; every other 5xx is temporary
    505: refused,
    511: refused,
}

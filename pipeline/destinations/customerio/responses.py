"""What a response of the Track API means for the items of the call."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from pipeline.core.messages import ConnectionBroken, Outcome, Rejected
from pipeline.destinations.error_text import entry_text
from pipeline.destinations.outcomes import (
    Parse,
    break_connection,
    parse_by_status,
    refused,
    retry_later,
    sent_unless_page,
    too_large,
)
from pipeline.infra.http.client import HTTPResponse
from pipeline.redaction.scrub import scrub

MULTI_STATUS = 207
_NOT_FOUND_STATUSES = frozenset({404, 405, 410})


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return one outcome for all items of a call. A 200 of the API means accepted, whatever its body lacks."""
    return parse_by_status(response, _BY_STATUS, _BY_STATUS_CLASS, retry_later)


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


def _redirected(response: HTTPResponse) -> Outcome:
    return ConnectionBroken(f"redirected ({response.status}): the account probably lives in another region")


_BY_STATUS_CLASS: dict[int, Parse] = {
    2: sent_unless_page("Customer.io"),
    3: _redirected,
    4: refused,
}
_BY_STATUS: dict[int, Parse] = {
    401: break_connection("the credentials were refused"),
    403: break_connection("the credentials were refused"),
    408: retry_later,
    413: too_large,
    425: retry_later,
    429: retry_later,
    501: refused,  # these three are permanent; every other 5xx is temporary
    505: refused,
    511: refused,
}

"""What an answer of the Track API means for the items the call carried."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from pipeline.core.backoff import parse_retry_after
from pipeline.core.messages import ConnectionBroken, Outcome, Rejected, RetryAfter, Sent
from pipeline.destinations.error_text import entry_text, error_text, scrub
from pipeline.infra.http.client import HTTPResponse

MULTI_STATUS = 207
_NOT_FOUND_STATUSES = frozenset({404, 405, 410})


def parse_outcome(answer: HTTPResponse) -> Outcome:
    """One outcome for everything a call carried. A 200 means taken, whatever its body lacks, if it is the API's."""
    if answer.status is None:
        return RetryAfter(None, answer.error or "no answer")
    judge = _BY_STATUS.get(answer.status) or _BY_STATUS_CLASS.get(answer.status // 100, _retry_later)
    return judge(answer)


def parse_batch_outcome(answer: HTTPResponse) -> Outcome:
    """The same for a batch, whose path holds no identifier: if that is not found, the base URL is wrong."""
    if answer.status in _NOT_FOUND_STATUSES:
        return ConnectionBroken(f"answered {answer.status}: there is no Track API at this address")
    return parse_outcome(answer)


def may_split(answer: HTTPResponse) -> bool:
    """Whether one bad item may have spoiled the call for its neighbours (or there were too many)."""
    return answer.status is not None and 400 <= answer.status < 500  # noqa: PLR2004 - the client-error range


def parse_refused_items(answer: HTTPResponse, items: int) -> dict[int, Rejected] | None:
    """The items a 207 refuses, by their place in the call; None if its body cannot be read. All others were taken."""
    entries = _parse_errors(answer)
    if entries is None:
        return None
    said: dict[int, list[str]] = defaultdict(list)  # several errors may concern one item
    for entry in entries:
        index = entry.get("batch_index") if isinstance(entry, dict) else None
        if type(index) is int and 0 <= index < items:
            said[index].append(entry_text(entry))
    return {index: Rejected("refused", scrub("; ".join(filter(None, texts)))) for index, texts in said.items()}


def _parse_errors(answer: HTTPResponse) -> list[Any] | None:
    try:
        body = json.loads(answer.body) if answer.whole else None
    except (ValueError, RecursionError):
        return None
    errors = body.get("errors") if isinstance(body, dict) else None
    return errors if isinstance(errors, list) else None


def _sent(answer: HTTPResponse) -> Outcome:
    """The API answers in JSON, or with nothing. A page comes from something in between, and nobody has taken anything;
    if somebody has after all, ids make the repetition harmless.
    """
    if answer.body.lstrip().startswith("<"):
        return RetryAfter(None, f"answered {answer.status} with a page: something stands between us and Customer.io")
    return Sent()


def _redirected(answer: HTTPResponse) -> Outcome:
    return ConnectionBroken(f"redirected ({answer.status}): the account probably lives in another region")


def _credentials(answer: HTTPResponse) -> Outcome:
    return ConnectionBroken(f"the credentials were refused ({answer.status})")


def _retry_later(answer: HTTPResponse) -> Outcome:
    seconds = parse_retry_after(answer.headers.get("retry-after"), answer.started_at / 1_000_000)
    return RetryAfter(seconds, f"answered {answer.status}")


def _too_large(answer: HTTPResponse) -> Outcome:
    return Rejected("too_large", error_text(answer.body))


def _refused(answer: HTTPResponse) -> Outcome:
    return Rejected("refused", error_text(answer.body) or f"answered {answer.status}")


_BY_STATUS_CLASS: dict[int, Callable[[HTTPResponse], Outcome]] = {2: _sent, 3: _redirected, 4: _refused}
_BY_STATUS: dict[int, Callable[[HTTPResponse], Outcome]] = {
    401: _credentials,
    403: _credentials,
    408: _retry_later,
    413: _too_large,
    425: _retry_later,
    429: _retry_later,
    501: _refused,  # these three say that it will never be understood; every other 5xx passes
    505: _refused,
    511: _refused,
}

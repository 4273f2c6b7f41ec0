"""What an answer of Segment's HTTP API means. Which statuses its own clients repeat: segment-analytics-python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipeline.core.messages import ConnectionBroken, Outcome, RetryAfter, Sent
from pipeline.destinations.outcomes import refused, retry_later, too_large
from pipeline.infra.http.client import HTTPResponse

MAX_WAIT_S = 86_400.0
_REPEATED = frozenset({408, 410, 425, 429, 460})


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return one outcome for all items of a call. A repeated item keeps its messageId, which makes it harmless."""
    if response.status is None:
        return RetryAfter(None, response.error or "no answer")
    if response.status in _REPEATED:
        return _wait(response)
    parse = _BY_STATUS.get(response.status) or _BY_STATUS_CLASS.get(response.status // 100, _wait)
    return parse(response)


def _wait(response: HTTPResponse) -> Outcome:
    """Wait as long as `Retry-After` says, or until `X-RateLimit-Reset`, which is a time or a number of seconds."""
    outcome = retry_later(response)
    reset = response.headers.get("x-ratelimit-reset", "")
    if outcome.seconds is not None or not reset.isascii() or not reset.isdigit():
        return outcome
    seconds = float(reset) if float(reset) <= MAX_WAIT_S else float(reset) - response.started_at / 1_000_000
    return replace(outcome, seconds=seconds) if 0 <= seconds <= MAX_WAIT_S else outcome


def _sent(response: HTTPResponse) -> Outcome:
    if response.body.lstrip().startswith("<"):
        return RetryAfter(None, f"answered {response.status} with a page: something stands between us and the API")
    return Sent()


def _break(why: str) -> Callable[[HTTPResponse], Outcome]:
    return lambda response: ConnectionBroken(f"{why} ({response.status})")


_BY_STATUS_CLASS: dict[int, Callable[[HTTPResponse], Outcome]] = {
    2: _sent,
    3: _break("the address redirects, which is not followed"),
    4: refused,
}
_BY_STATUS: dict[int, Callable[[HTTPResponse], Outcome]] = {
    401: _break("the write key was refused"),
    403: _break("the write key was refused"),
    404: _break("there is no such API at this address"),
    405: _break("there is no such API at this address"),
    413: too_large,
}

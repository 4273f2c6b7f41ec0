"""What the answer to a signed web hook means. Standard Webhooks 1.0.0, delivery: 200 to 299 is success."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.core.messages import ConnectionBroken, Outcome, RetryAfter, Sent
from pipeline.destinations.outcomes import refused, retry_later, too_large
from pipeline.infra.http.client import HTTPResponse


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return what became of one message. A receiver takes each id once, so that a repetition is harmless."""
    if response.status is None:
        return RetryAfter(None, response.error or "no answer")
    parse = _BY_STATUS.get(response.status) or _BY_STATUS_CLASS.get(response.status // 100, retry_later)
    return parse(response)


def _sent(_: HTTPResponse) -> Outcome:
    return Sent()


def _break(why: str) -> Callable[[HTTPResponse], Outcome]:
    return lambda response: ConnectionBroken(f"{why} ({response.status})")


_BY_STATUS_CLASS: dict[int, Callable[[HTTPResponse], Outcome]] = {
    2: _sent,
    3: _break("the address redirects, which is not followed"),
    4: refused,
}
_BY_STATUS: dict[int, Callable[[HTTPResponse], Outcome]] = {
    401: _break("the receiver refused the signature"),
    403: _break("the receiver refused the signature"),
    404: _break("nothing takes messages at this address"),
    405: _break("nothing takes messages at this address"),
    408: retry_later,
    410: _break("the receiver has switched its address off"),
    413: too_large,
    425: retry_later,
    429: retry_later,
}

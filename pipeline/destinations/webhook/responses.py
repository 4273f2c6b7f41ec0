"""What the answer to a signed web hook means. Standard Webhooks 1.0.0, delivery: 200 to 299 is success."""

from __future__ import annotations

from pipeline.core.messages import Outcome, Sent
from pipeline.destinations.outcomes import (
    Parse,
    break_connection,
    parse_by_status,
    refused,
    retry_later,
    too_large,
)
from pipeline.infra.http.client import HTTPResponse


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return what became of one message. A receiver takes each id once, so that a repetition is harmless."""
    return parse_by_status(response, _BY_STATUS, _BY_STATUS_CLASS, retry_later)


def _sent(_: HTTPResponse) -> Outcome:
    return Sent()


_BY_STATUS_CLASS: dict[int, Parse] = {
    2: _sent,
    3: break_connection("the address redirects, which is not followed"),
    4: refused,
}
_BY_STATUS: dict[int, Parse] = {
    401: break_connection("the receiver refused the signature"),
    403: break_connection("the receiver refused the signature"),
    404: break_connection("nothing takes messages at this address"),
    405: break_connection("nothing takes messages at this address"),
    408: retry_later,
    410: break_connection("the receiver has switched its address off"),
    413: too_large,
    425: retry_later,
    429: retry_later,
}

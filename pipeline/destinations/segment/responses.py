"""What an answer of Segment's HTTP API means. Which statuses its own clients repeat: segment-analytics-python."""

from __future__ import annotations

from dataclasses import replace

from pipeline.core.messages import Outcome
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

MAX_WAIT_S = 86_400.0


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return one outcome for all items of a call. A repeated item keeps its messageId, which makes it harmless."""
    return parse_by_status(response, _BY_STATUS, _BY_STATUS_CLASS, _wait)


def _wait(response: HTTPResponse) -> Outcome:
    """Wait as long as `Retry-After` says, or until `X-RateLimit-Reset`, which is a time or a number of seconds."""
    outcome = retry_later(response)
    reset = response.headers.get("x-ratelimit-reset", "")
    if outcome.seconds is not None or not reset.isascii() or not reset.isdigit():
        return outcome
    seconds = float(reset) if float(reset) <= MAX_WAIT_S else float(reset) - response.started_at / 1_000_000
    return replace(outcome, seconds=seconds) if 0 <= seconds <= MAX_WAIT_S else outcome


_BY_STATUS_CLASS: dict[int, Parse] = {
    2: sent_unless_page("the API"),
    3: break_connection("the address redirects, which is not followed"),
    4: refused,
}
_BY_STATUS: dict[int, Parse] = {
    **dict.fromkeys((408, 410, 425, 429, 460), _wait),
    401: break_connection("the write key was refused"),
    403: break_connection("the write key was refused"),
    404: break_connection("there is no such API at this address"),
    405: break_connection("there is no such API at this address"),
    413: too_large,
}

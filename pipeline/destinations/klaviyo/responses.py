"""What an answer of Klaviyo means: by its status, never by its text (Klaviyo docs, Rate limits and errors)."""

from __future__ import annotations

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


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return one outcome for all items of a call. What is sent again is recognised by its ids."""
    return parse_by_status(response, _BY_STATUS, _BY_STATUS_CLASS, retry_later)


_BY_STATUS_CLASS: dict[int, Parse] = {
    2: sent_unless_page("Klaviyo"),
    3: break_connection("the address redirects, which is not followed"),
    4: refused,
}
_BY_STATUS: dict[int, Parse] = {
    **dict.fromkeys((408, 425, 429), retry_later),
    401: break_connection("the private key was refused"),
    403: break_connection("the private key lacks a scope"),
    404: break_connection("there is no such API at this address"),
    405: break_connection("there is no such API at this address"),
    410: break_connection("this revision of the API was retired: a newer Cratewire is needed"),
    413: too_large,
}

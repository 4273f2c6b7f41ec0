"""What an answer of Mailchimp means: by its status, its title and the fields it names, never by its text.

Messages come in the language of the account (Mailchimp docs, Errors).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.core.messages import ConnectionBroken, Outcome, Rejected, RetryAfter
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

FORGOTTEN = "Forgotten Email Not Subscribed"
IN_COMPLIANCE = "Member In Compliance State"
NOT_FOUND = 404
UNKNOWN_OUTCOME_WAIT_S = 120.0  # Mailchimp docs: a call that we gave up on may run there for so long


def parse_outcome(response: HTTPResponse) -> Outcome:
    """Return the outcome of a call about one member."""
    return parse_by_status(response, _BY_STATUS, _BY_STATUS_CLASS, retry_later)


def read_problem(response: HTTPResponse) -> Mapping[str, Any]:
    """Return the body of an answer, if it is an object."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def list_refused_fields(response: HTTPResponse) -> set[str]:
    """Return the tags of the merge fields that an answer names as refused."""
    errors = read_problem(response).get("errors")
    named = [one.get("field") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return {name.removeprefix("merge_fields.") for name in named if isinstance(name, str)}


def _parse_bad_request(response: HTTPResponse) -> Outcome:
    if read_problem(response).get("title") == FORGOTTEN:
        return Rejected("permanently_deleted", "the person was deleted at Mailchimp, which keeps the address out")
    return refused(response)


def _parse_forbidden(response: HTTPResponse) -> Outcome:
    """Without a body it is too much load (Mailchimp docs, Rate limits)."""
    if not response.body.strip():
        return RetryAfter(None, "answered 403 without a body")
    return ConnectionBroken("the API key may not do this (403)")


_BY_STATUS_CLASS: dict[int, Parse] = {
    2: sent_unless_page("Mailchimp"),
    3: break_connection("the address redirects, which is not followed"),
    4: refused,
}
_BY_STATUS: dict[int, Parse] = {
    **dict.fromkeys((408, 425, 429), retry_later),
    400: _parse_bad_request,
    401: break_connection("the API key was refused"),
    403: _parse_forbidden,
    404: break_connection("the audience is not there"),
    413: too_large,
}

"""Lets Customer.io delete or suppress a person, under each identifier that it may know.

Customer.io docs, Track API: `delete` removes the person, and a later message creates a new one. `suppress` removes the
person and blocks the identifiers of its profile: later calls about them are ignored, with 200. Both accept an unknown
person. Suppressing by id blocks only the address that the profile has now, so each known address is suppressed too.
"""

from __future__ import annotations

from pipeline.core.messages import ForgetMode, Identifiers, Outcome, Rejected, Reply, RetryAfter, Sent
from pipeline.destinations.customerio.client import TrackClient
from pipeline.destinations.customerio.items import CUSTOMER_ID_PREFIX
from pipeline.destinations.customerio.limits import MAX_CALL_ITEMS, MAX_IDENTIFIER_BYTES
from pipeline.destinations.customerio.responses import MULTI_STATUS, parse_batch_outcome, parse_refused_items
from pipeline.destinations.json_text import byte_length, to_json
from pipeline.infra.http.client import HTTPResponse

_NOTHING_TO_NAME = Rejected("no_identifier", "no identifier of this person fits Customer.io")


def forget(track: TrackClient, identifiers: Identifiers, mode: ForgetMode) -> Reply:
    """Return one outcome: Sent if Customer.io accepted the operation for every identifier.

    An identifier that is too long is left out, and the notes say so: Customer.io has no person under it.
    """
    named = [
        *(("id", f"{CUSTOMER_ID_PREFIX}{customer_id}") for customer_id in identifiers.customer_ids),
        *(("email", email) for email in identifiers.emails),
    ]
    fitting = [(kind, value) for kind, value in named if 0 < byte_length(value) <= MAX_IDENTIFIER_BYTES]
    if not fitting:
        return Reply((_NOTHING_TO_NAME,))
    bodies = [to_json({"type": "person", "action": mode, "identifiers": {kind: value}}) for kind, value in fitting]
    outcome: Outcome = Sent()
    calls = []
    for start in range(0, len(bodies), MAX_CALL_ITEMS):
        part = bodies[start : start + MAX_CALL_ITEMS]
        response, call = track.operations(part)
        calls.append(call)
        outcome = _parse_outcome(response, len(part))
        if not isinstance(outcome, Sent):
            break
    if isinstance(outcome, Sent) and len(fitting) < len(named):
        outcome = Sent((f"dropped:{len(named) - len(fitting)} identifiers that are too long",))
    return Reply((outcome,), tuple(calls))


def _parse_outcome(response: HTTPResponse, operations: int) -> Outcome:
    if response.status != MULTI_STATUS:
        return parse_batch_outcome(response)
    refused = parse_refused_items(response, operations)
    if refused is None:
        return RetryAfter(None, "answered 207 with an unreadable list of refused items")
    return next(iter(refused.values()), Sent())

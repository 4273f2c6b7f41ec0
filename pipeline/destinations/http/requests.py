"""Builds the request of a message: the same bytes and the same id on every try."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from pipeline.core.messages import ForgetMode, Identifiers, Message, Rejected, Sent
from pipeline.destinations.http.bounds import measure
from pipeline.destinations.http.document import Request
from pipeline.destinations.http.templates import CannotBuild, Data, Evaluation, fill_address, fill_body
from pipeline.destinations.json_text import drop_not_finite, to_json
from pipeline.infra.http.client import Method

MAX_BODY_BYTES = 256_000  # our own limit: the documented ones of the presets are larger
MAX_URL_CHARACTERS = 4_000
NO_REQUEST, CONDITION = "skipped:no_request", "skipped:condition"  # notes on messages that are not for this API
_DIGEST_CHARACTERS = 32
_UUIDS = uuid.UUID("8d3c1a3e-6c0e-5c39-9a53-0f6f0c7a2b11")  # our namespace of messages


@dataclass(frozen=True, slots=True)
class Built:
    """A request ready to be made."""

    method: Method
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


def build_message(request: Request | None, message: Message, account: str) -> Built | Rejected | Sent:
    """Return the request of a profile or an event; Sent if the document does not want it, Rejected if it cannot be."""
    if request is None:
        return Sent((NO_REQUEST,))
    person = message.person
    if person.customer_id is None and not person.email:
        return Rejected("no_identifier", "neither a customer id nor an e-mail address is known")
    variables: dict[str, Any] = {"person": {"email": person.email or None, "customer_id": person.customer_id}}
    if message.kind == "profile":
        message_id, variables["attributes"] = f"profile_{message.delivery_id}", message.data
    else:
        message_id = message.message_id or f"event_{message.delivery_id}"
        variables |= {"event": (message.name or "").strip(), "properties": message.data}
        if not variables["event"]:
            return Rejected("event_name_missing")
    return _build(request, message_id, message.at, {**variables, "account": account})


def build_forget(
    request: Request, identifiers: Identifiers, mode: ForgetMode, account: str
) -> Iterator[Built | Rejected | Sent]:
    """Yield the requests to forget a person: one with all identifiers, or one for each of a kind."""
    named: dict[str, Any] = {
        "mode": mode,
        "emails": list(identifiers.emails),
        "customer_ids": list(identifiers.customer_ids),
    }
    lists: dict[str, list[Any]] = {"email": named["emails"], "customer_id": named["customer_ids"], "": [None]}
    for value in lists[request.each]:
        one: dict[str, Any] = {"email": None, "customer_id": None, **({request.each: value} if request.each else {})}
        digest = hashlib.sha256(to_json([named, one])).hexdigest()[:_DIGEST_CHARACTERS]  # an id must not show them
        yield _build(
            request,
            f"{mode}_{identifiers.asked_at}_{digest}",
            identifiers.asked_at,
            {**named, **one, "account": account},
        )


def build_check(request: Request) -> Built | Rejected | Sent:
    """Return the request that tries the keys."""
    return _build(request, "", 0, {})


def _build(request: Request, message_id: str, at: int, named: Mapping[str, Any]) -> Built | Rejected | Sent:
    variables = dict(named)
    if message_id:
        happened = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        variables |= {"id": message_id, "uuid": str(uuid.uuid5(_UUIDS, message_id)), "at": at, "time": happened}
    try:
        clean = to_json(drop_not_finite(variables))
        data = orjson.loads(clean)  # as JSON has it: no lone surrogate
        evaluation = Evaluation(Data(data, measure(len(clean), data)))
        if request.when is not None and not evaluation.holds(request.when):
            return Sent((CONDITION,))
        url = fill_address(request.url, evaluation)
        body = _encode(request, fill_body(request.body, evaluation)) if request.has_body else None
    except CannotBuild as error:
        return Rejected("mapping_failed", str(error))
    except (RecursionError, orjson.JSONDecodeError):
        return Rejected("too_deep", "the data is nested too deeply")
    if len(body or b"") > MAX_BODY_BYTES or len(url) > MAX_URL_CHARACTERS:
        return Rejected(
            "too_large", f"more than {MAX_BODY_BYTES} bytes, or an address of more than {MAX_URL_CHARACTERS}"
        )
    return Built(request.method, url, _build_headers(request, message_id), body)


def _encode(request: Request, body: Any) -> bytes:
    if not request.is_form:
        return to_json(drop_not_finite(body))
    texts = {name: value if isinstance(value, str) else to_json(value).decode() for name, value in body.items()}
    return urlencode(sorted(texts.items())).encode()


def _build_headers(request: Request, message_id: str) -> dict[str, str]:
    headers = dict(request.headers)
    if request.has_body:
        headers.setdefault(
            "Content-Type", "application/x-www-form-urlencoded" if request.is_form else "application/json"
        )
    if request.idempotency_header and message_id:
        headers[request.idempotency_header] = message_id
    return headers

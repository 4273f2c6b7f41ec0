"""Any HTTP API as a destination: its document, its check, and one request for each message."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable, WrongAddress
from pipeline.core.form_fields import Field
from pipeline.core.messages import (
    CallRecord,
    ConnectionBroken,
    ForgetMode,
    Identifiers,
    Message,
    Outcome,
    Rejected,
    Reply,
    RetryAfter,
    Sent,
)
from pipeline.destinations.base import CheckResult
from pipeline.destinations.http.answers import parse_outcome
from pipeline.destinations.http.config import FIELDS, open_document, read_fields
from pipeline.destinations.http.document import USUAL_CALLS_PER_SECOND, Request
from pipeline.destinations.http.requests import Built, build_check, build_forget, build_message
from pipeline.destinations.one_by_one import send_one_by_one
from pipeline.destinations.outcomes import build_call_record
from pipeline.infra.http.client import HTTPClient, HTTPResponse
from pipeline.infra.http.faults import NOT_PUBLIC

_ABSENT = (404, 405, 410)
_DIGEST_CHARACTERS = 12


class AnyHTTP:
    """One API, as its document describes it."""

    platform: ClassVar[str] = "http"
    title: ClassVar[str] = "Any HTTP API"
    web_page: ClassVar[str] = "https://cel.dev/"
    steps: ClassVar[tuple[str, ...]] = (
        "Choose an API that is known here, or describe your own in a document (docs/http.md).",
        "Make a key there that may write people and events, and copy it.",
        "HubSpot, ActiveCampaign and Drip: also copy the account's number or name.",
        "Connecting makes the request that the document has for that. Slack shows a line then; a Zap runs once.",
    )
    fields: ClassVar[tuple[Field, ...]] = FIELDS
    max_items: ClassVar[int] = 50  # a call each
    calls_per_second: ClassVar[float] = float(USUAL_CALLS_PER_SECOND)  # unless the document says otherwise
    calls_at_once: ClassVar[tuple[str, int] | None] = None
    campaign_age_s: ClassVar[int | None] = None
    forget_modes: ClassVar[tuple[ForgetMode, ...]] = ("delete", "suppress")  # the document gets the word
    campaign_limit_s: ClassVar[int | None] = None
    switched_off_after_s: ClassVar[int | None] = None
    address_change_help: ClassVar[str] = ""

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        self._fields = read_fields(config)
        self._document = open_document(self._fields)
        self._http = http

    def check(self) -> CheckResult:
        """Make the document's request that changes nothing; see that no other host of it is one of our own network."""
        for place in self._document.list_places():
            if not self._http.may_reach(place):
                raise WrongAddress(
                    f"config: {urlsplit(place).hostname} is not a public address, and may only be called for trying out"
                )
        request = self._document.check
        built = build_check(request)
        if not isinstance(built, Built):
            raise Misconfigured(
                f"config: check: {built.detail if isinstance(built, Rejected) else 'its condition is false'}"
            )
        response = self._call(built)
        _require_success(parse_outcome(request.answers, response), response)
        rate = {"calls_per_second": str(self._document.calls_per_second)}
        return CheckResult(self._describe_account(), {**self._fields, **rate})

    def send(self, messages: Sequence[Message]) -> Reply:
        return send_one_by_one(messages, self._send_one)

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:
        request = self._document.forget
        if not identifiers.emails and not identifiers.customer_ids:
            return Reply((Rejected("no_identifier", "neither a customer id nor an e-mail address is known"),))
        if request is None:
            return Reply((Rejected("cannot_forget", f"the document has no request to {mode} a person"),))
        calls: list[CallRecord] = []
        for built in build_forget(request, identifiers, mode, self._fields["account"]):
            outcome, call = self._make(request, built, 0)
            calls += [] if call is None else [call]
            if not isinstance(outcome, Sent):
                return Reply((outcome,), tuple(calls))
        return Reply((Sent(),), tuple(calls))

    def _send_one(self, position: int, message: Message) -> tuple[Outcome, CallRecord | None]:
        request = self._document.profile if message.kind == "profile" else self._document.event
        built = build_message(request, message, self._fields["account"])
        if request is None or not isinstance(built, Built):
            return (Sent() if isinstance(built, Built) else built), None
        return self._make(request, built, position)

    def _make(
        self, request: Request, built: Built | Rejected | Sent, position: int
    ) -> tuple[Outcome, CallRecord | None]:
        if not isinstance(built, Built):
            return built, None
        response = self._call(built)
        record = build_call_record(built.method, f"the request for {request.kind}", response, [position])
        return parse_outcome(request.answers, response), record

    def _call(self, built: Built) -> HTTPResponse:
        return self._http.call(built.method, built.url, headers=built.headers, body=built.body)

    def _describe_account(self) -> str:
        """The host, and a digest of what leads to another account there: an API names no account in one way."""
        named = [self._fields[key] for key in ("preset", "account", "api_key", "hook_url")]
        digest = hashlib.sha256("\n".join([*named, *self._document.list_places()]).encode()).hexdigest()
        return f"{urlsplit(self._document.list_places()[-1]).netloc} {digest[:_DIGEST_CHARACTERS]}"


def _require_success(outcome: Outcome, response: HTTPResponse) -> None:
    """Raise BadCredentials, WrongAddress or Unreachable unless the check succeeded."""
    if isinstance(outcome, Sent):
        return
    if response.error == NOT_PUBLIC:
        raise WrongAddress("the address of the check is not a public one, and may only be called for trying out")
    if response.status is None:
        raise Unreachable(f"no answer: {response.error}")
    if response.status in _ABSENT or response.status // 100 == 3:  # noqa: PLR2004 - the first digit of a redirect
        raise WrongAddress(f"the address of the check does not exist ({response.status})")
    if isinstance(outcome, ConnectionBroken):
        raise BadCredentials(f"the API refused the key ({response.status})")
    if isinstance(outcome, RetryAfter):
        raise Unreachable(f"the check was answered with {response.status}")
    raise Misconfigured(f"config: check: answered with {response.status}, which is no success")

"""The signed web hook as a destination: its fields, their check, and sending one message in each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import urlsplit

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.core.messages import CallRecord, ForgetMode, Identifiers, Message, Outcome, Rejected, Reply
from pipeline.destinations.base import CheckResult
from pipeline.destinations.check_answers import require_success
from pipeline.destinations.one_by_one import send_one_by_one
from pipeline.destinations.outcomes import build_call_record
from pipeline.destinations.webhook.messages import SignedBody, build_forget, build_message, build_test
from pipeline.destinations.webhook.responses import parse_outcome
from pipeline.infra.crypto.signed_messages import read_secrets, sign
from pipeline.infra.form_config import read_config
from pipeline.infra.http.base_url import is_message_url
from pipeline.infra.http.client import HTTPClient, HTTPResponse

_TEMPLATE = "the web hook's address"
_US_PER_SECOND = 1_000_000


class SignedWebhook:
    """One address."""

    platform: ClassVar[str] = "webhook"
    title: ClassVar[str] = "Signed web hook"
    web_page: ClassVar[str] = "https://www.standardwebhooks.com/"
    steps: ClassVar[tuple[str, ...]] = (
        "Build, or have built, an address that takes messages as docs/signed-webhook.md describes them.",
        "Make a secret (“whsec_” and 32 random bytes in base64), and give it to the receiver too.",
        "The address is tried with a message of the type webhook.test, which it answers with any status of 200 to 299.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field("url", "Address", help="Where messages are posted: https, on the public internet."),
        Field(
            "secret",
            "Secret",
            secret=True,
            names_account=False,
            help="Signs each message. While it is replaced: the new one, a space, and the old one.",
        ),
    )
    max_items: ClassVar[int] = 50  # a call each
    calls_per_second: ClassVar[float] = 20.0  # our own choice: receivers name no limit, but many are small
    calls_at_once: ClassVar[tuple[str, int] | None] = None
    campaign_age_s: ClassVar[int | None] = None
    forget_modes: ClassVar[tuple[ForgetMode, ...]] = ("delete", "suppress")
    campaign_limit_s: ClassVar[int | None] = None
    switched_off_after_s: ClassVar[int | None] = 5 * 86_400  # Standard Webhooks: an address that fails for days
    address_change_help: ClassVar[str] = ""

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        self._config = _read_config(config)
        self._secrets = read_secrets(self._config["secret"], "secret")
        self._http = http

    def check(self) -> CheckResult:
        """Send a message of the type webhook.test."""
        require_success(
            self._post(build_test(self._now_s())),
            not_public="the address is not a public one",
            refused="the receiver refused the signature",
            absent="nothing takes messages at this address",
            absent_statuses=(404, 405, 410),
        )
        place = urlsplit(self._config["url"])
        return CheckResult(f"{place.netloc}{place.path}", self._config)

    def send(self, messages: Sequence[Message]) -> Reply:
        return send_one_by_one(messages, self._send_one)

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:
        built = build_forget(identifiers, mode)
        if built is None:
            return Reply((Rejected("no_identifier", "neither a customer id nor an e-mail address is known"),))
        outcome, call = self._call(built, 0)
        return Reply((outcome,), (call,))

    def _send_one(self, position: int, message: Message) -> tuple[Outcome, CallRecord | None]:
        built = build_message(message)
        return (built, None) if isinstance(built, Rejected) else self._call(built, position)

    def _call(self, built: SignedBody, position: int) -> tuple[Outcome, CallRecord]:
        response = self._post(built)
        return parse_outcome(response), build_call_record("POST", _TEMPLATE, response, [position])

    def _post(self, built: SignedBody) -> HTTPResponse:
        signature = sign(self._secrets, built.id, self._now_s(), built.body)  # of this try, so with its time
        headers = {"Content-Type": "application/json", **signature}
        return self._http.call("POST", self._config["url"], headers=headers, body=built.body)

    def _now_s(self) -> int:
        return self._http.now() // _US_PER_SECOND


def _read_config(config: Mapping[str, str]) -> dict[str, str]:
    given = read_config(SignedWebhook.fields, config)
    if not is_message_url(given["url"]):
        raise Misconfigured("url must be an https address without a user, a password or a fragment")
    return given

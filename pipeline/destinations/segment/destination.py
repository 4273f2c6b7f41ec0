"""Segment as a destination: its fields, their check, and sending."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.core.messages import ForgetMode, Identifiers, Message, Rejected, Reply
from pipeline.destinations.base import CheckResult
from pipeline.destinations.check_answers import require_success
from pipeline.destinations.json_text import to_json
from pipeline.destinations.segment import sending
from pipeline.infra.form_config import read_config
from pipeline.infra.http.base_url import is_base_url
from pipeline.infra.http.basic_auth import build_basic_auth
from pipeline.infra.http.client import HTTPClient, HTTPResponse

REGIONS = {"us": "https://api.segment.io/v1", "eu": "https://events.eu1.segmentapis.com/v1"}
CHECK_EVENT = "Cratewire Connected"
_CHECK_ID = "cratewire"  # the anonymous id of the check's event
_DIGEST_CHARACTERS = 12


class Segment:
    """One source."""

    platform: ClassVar[str] = "segment"
    title: ClassVar[str] = "Segment"
    web_page: ClassVar[str] = "https://app.segment.com/"
    steps: ClassVar[tuple[str, ...]] = (
        "Make an HTTP API source in Segment, or in RudderStack or Jitsu, and copy its write key.",
        "For RudderStack, Jitsu and the like, also enter the address of their HTTP API, which ends in /v1.",
        f"Connecting sends an event, “{CHECK_EVENT}”. Segment takes any key: look for it in the source's debugger.",
        "Erasing a person is not part of this API: delete them in Segment by hand.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field("write_key", "Write key", secret=True, help="Of the source: Settings, API Keys."),
        Field("region", "Region", default="us", choices=tuple(REGIONS), help="Where the Segment workspace lives."),
        Field(
            "event_names",
            "Names of events",
            default="cratejoy",
            choices=("cratejoy", "ecommerce"),
            names_account=False,
            help="As Cratejoy names them (order_new), or as Segment's e-commerce specification does (Order Completed).",
        ),
        Field("base_url", "Base URL", required=False, help="Only to send elsewhere than to Segment, e.g. RudderStack."),
    )
    max_items: ClassVar[int] = 2 * sending.MAX_CALL_ITEMS
    calls_per_second: ClassVar[float] = 50.0  # Segment publishes 1,000 requests a second for a workspace
    calls_at_once: ClassVar[tuple[str, int] | None] = None
    campaign_age_s: ClassVar[int | None] = None
    forget_modes: ClassVar[tuple[ForgetMode, ...]] = ()
    campaign_limit_s: ClassVar[int | None] = None
    switched_off_after_s: ClassVar[int | None] = None
    address_change_help: ClassVar[str] = ""

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        self._config = _read_config(config)
        self._http = http
        self._base_url = (self._config["base_url"] or REGIONS[self._config["region"]]).rstrip("/")
        authorization = build_basic_auth(self._config["write_key"], "")
        self._headers = {"Authorization": authorization, "Content-Type": "application/json"}

    def check(self) -> CheckResult:
        """Send one event of no person. Segment itself refuses no write key; RudderStack does."""
        event = {"anonymousId": _CHECK_ID, "event": CHECK_EVENT, "properties": {}}
        require_success(
            self._post("/track", to_json(event)),
            not_public="the base URL is not a public address",
            refused="the write key was refused",
            absent="there is no such API at this address",
            absent_statuses=(404, 405),
        )
        digest = hashlib.sha256(self._config["write_key"].encode()).hexdigest()[:_DIGEST_CHARACTERS]
        return CheckResult(f"source {digest}", self._config)  # a source has no id that its write key would show

    def send(self, messages: Sequence[Message]) -> Reply:
        is_ecommerce = self._config["event_names"] == "ecommerce"
        return sending.send(lambda body: self._post(sending.BATCH_PATH, body), messages, is_ecommerce=is_ecommerce)

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:  # noqa: ARG002 - the interface's
        return Reply((Rejected("cannot_forget", f"{self.title} has no way to {mode} a person through this API"),))

    def _post(self, path: str, body: bytes) -> HTTPResponse:
        return self._http.call("POST", self._base_url + path, headers=self._headers, body=body)


def _read_config(config: Mapping[str, str]) -> dict[str, str]:
    given = read_config(Segment.fields, config)
    if given["base_url"] and not is_base_url(given["base_url"]):
        raise Misconfigured("base_url must be an https address without credentials, query or fragment")
    return given

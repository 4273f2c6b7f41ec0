"""Klaviyo as a destination: its fields, their check, and sending."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pipeline.core.errors import Unreachable
from pipeline.core.form_fields import Field
from pipeline.core.messages import ForgetMode, Identifiers, Message, Rejected, Reply
from pipeline.destinations.base import CheckResult
from pipeline.destinations.check_answers import require_success
from pipeline.destinations.klaviyo import events, forgetting, preview, sending
from pipeline.destinations.klaviyo.client import KlaviyoClient
from pipeline.infra.form_config import read_config
from pipeline.infra.http.client import HTTPClient, HTTPResponse


class Klaviyo:
    """One account."""

    platform: ClassVar[str] = "klaviyo"
    title: ClassVar[str] = "Klaviyo"
    web_page: ClassVar[str] = "https://www.klaviyo.com/dashboard"
    steps: ClassVar[tuple[str, ...]] = (
        "In Klaviyo open Settings, API keys, and create a private API key with custom access.",
        "It needs: accounts read, events write, profiles read and write, subscriptions write, data privacy write.",
        "Cratewire subscribes no person: one gets mail only if they consented in Klaviyo itself.",
        "Klaviyo bills by active profile, and the recipients of gifts become profiles too.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field("api_key", "Private API key", secret=True, help="Klaviyo: Settings, API keys. It begins with pk_."),
        Field(
            "event_names",
            "Names of events",
            default="cratejoy",
            choices=("cratejoy", "klaviyo"),
            names_account=False,
            help="As Cratejoy names them (order_new), or as Klaviyo's own integrations do (Placed Order).",
        ),
        Field(
            "base_url",
            "Base URL",
            required=False,
            help="Only to send elsewhere than to Klaviyo, e.g. a sandbox.",
            sets_host=True,
        ),
    )
    max_items: ClassVar[int] = sending.MAX_BULK_EVENTS
    calls_per_second: ClassVar[float] = 10.0  # Klaviyo docs: 700 imports of profiles a minute
    calls_at_once: ClassVar[tuple[str, int] | None] = None
    campaign_age_s: ClassVar[int | None] = events.FLOW_AGE_S
    forget_modes: ClassVar[tuple[ForgetMode, ...]] = ("delete",)
    campaign_limit_s: ClassVar[int | None] = events.FLOW_AGE_S
    switched_off_after_s: ClassVar[int | None] = None
    address_change_help: ClassVar[str] = ""

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        self._config = read_config(Klaviyo.fields, config)
        self._http = http

    def check(self) -> CheckResult:
        """Ask for the account."""
        response = self._open().get("accounts")
        require_success(
            response,
            not_public="the base URL is not a public address",
            refused="Klaviyo refused the private key, or it lacks the scope accounts:read",
            absent="there is no Klaviyo API at this address",
            absent_statuses=(404, 405),
        )
        return CheckResult(_parse_account(response), self._config)

    def send(self, messages: Sequence[Message]) -> Reply:
        return sending.send(self._open(), messages, has_klaviyo_names=self._config["event_names"] == "klaviyo")

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:
        if mode not in self.forget_modes:
            return Reply((Rejected("cannot_forget", f"{self.title} has no way to {mode} a person"),))
        return forgetting.forget(self._open(), identifiers)

    def _open(self) -> KlaviyoClient:
        base_url = (self._config["base_url"] or preview.BASE_URL).rstrip("/")
        return KlaviyoClient(base_url, self._config["api_key"], self._http)


def _parse_account(response: HTTPResponse) -> str:
    """Return the account's id, which its forms show too. Raise Unreachable if the answer has none."""
    try:
        return str(json.loads(response.body)["data"][0]["id"])
    except (ValueError, RecursionError, KeyError, IndexError, TypeError):
        raise Unreachable(f"Klaviyo answered {response.status}, but not with an account") from None

"""Mailchimp as a destination: its fields, their check, and sending."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.core.messages import ForgetMode, Identifiers, Message, Reply
from pipeline.destinations.base import CheckResult
from pipeline.destinations.mailchimp import events, forgetting, sending
from pipeline.destinations.mailchimp.checking import find_audience, make_fields
from pipeline.destinations.mailchimp.client import MailchimpClient
from pipeline.infra.form_config import read_config
from pipeline.infra.http.client import HTTPClient

_DATA_CENTRE = re.compile(r".+-([a-z]{2,4}\d{1,4})")


class Mailchimp:
    """One audience."""

    platform: ClassVar[str] = "mailchimp"
    title: ClassVar[str] = "Mailchimp"
    web_page: ClassVar[str] = "https://admin.mailchimp.com/"
    steps: ClassVar[tuple[str, ...]] = (
        "In Mailchimp open Profile, Extras, API keys, and create a key. It ends with its data centre, such as -us19.",
        "Audience, Settings shows the Audience ID; it is needed only if the account has several audiences.",
        "Import your subscribers into Mailchimp first: whom Cratewire adds is “non-subscribed” and gets no marketing.",
        "Mailchimp bills by contact, and the recipients of gifts become contacts too.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "api_key",
            "API key",
            secret=True,
            help="Mailchimp: Profile, Extras, API keys.",
        ),
        Field(
            "audience",
            "Audience ID",
            required=False,
            help="Mailchimp: Audience, Settings. Needed only if the account has several.",
        ),
        Field(
            "new_members",
            "New contacts",
            default="not subscribed",
            choices=("not subscribed", "who agreed"),
            names_account=False,
            help="Subscribe none, or those who agreed to marketing at the shop's checkout from now on. "
            "What a contact has chosen in Mailchimp is never changed.",
        ),
        Field(
            "double_optin",
            "Double opt-in",
            required=False,
            choices=("no", "yes"),
            names_account=False,
            help="Whether the audience asks new subscribers to confirm; found by itself.",
            is_found=True,
        ),
        Field(
            "base_url",
            "Base URL",
            required=False,
            help="Only to send elsewhere than to Mailchimp, e.g. a sandbox.",
            sets_host=True,
        ),
    )
    max_items: ClassVar[int] = 250
    calls_per_second: ClassVar[float] = 8.0
    # Mailchimp docs: ten in progress for a user, shared with all other apps. That two keys are one user's is not known.
    calls_at_once: ClassVar[tuple[str, int] | None] = ("api_key", 8)
    campaign_age_s: ClassVar[int | None] = events.AUTOMATION_AGE_S
    forget_modes: ClassVar[tuple[ForgetMode, ...]] = ("delete", "suppress")
    campaign_limit_s: ClassVar[int | None] = events.AUTOMATION_AGE_S
    switched_off_after_s: ClassVar[int | None] = None
    address_change_help: ClassVar[str] = (
        "Mailchimp knows people by their address: a new address is a new contact, and the old one stays until you "
        "archive it there."
    )

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        self._config = read_config(Mailchimp.fields, config)
        self._base_url = (self._config["base_url"] or _find_base_url(self._config["api_key"])).rstrip("/")
        self._http = http

    def check(self) -> CheckResult:
        """Find the audience, and make the merge fields that it lacks."""
        audience = find_audience(self._open(), self._config["audience"])
        found = {"audience": str(audience["id"]), "double_optin": "yes" if audience.get("double_optin") else "no"}
        checked = Mailchimp({**self._config, **found}, self._http)
        without = make_fields(checked._open())
        facts = {"audience": str(audience.get("name", "")), **({"without_field": without} if without else {})}
        return CheckResult(found["audience"], checked._config, facts)

    def send(self, messages: Sequence[Message]) -> Reply:
        subscribes = self._config["new_members"] == "who agreed"
        consent = sending.Consent(subscribes, is_double_optin=self._config["double_optin"] == "yes")
        return sending.send(self._open(), messages, consent)

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:  # noqa: ARG002 - both are the same there
        return forgetting.forget(self._open(), identifiers)

    def _open(self) -> MailchimpClient:
        return MailchimpClient(self._base_url, self._config["api_key"], self._config["audience"], self._http)


def _find_base_url(api_key: str) -> str:
    """Return the address of the data centre that the key names (Mailchimp docs, Fundamentals)."""
    found = _DATA_CENTRE.fullmatch(api_key)
    if found is None:
        raise Misconfigured("api_key must end with its data centre, such as -us19: copy the whole key")
    return f"https://{found[1]}.api.mailchimp.com/3.0"

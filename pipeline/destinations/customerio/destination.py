"""Customer.io as a destination: its fields, their check, and sending."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pipeline.core.errors import BadCredentials, Misconfigured, Unreachable, WrongAddress, WrongRegion
from pipeline.core.form_fields import Field
from pipeline.core.messages import ForgetMode, Identifiers, Message, Reply
from pipeline.destinations.base import CheckResult
from pipeline.destinations.customerio import forgetting, limits, sending
from pipeline.destinations.customerio.client import TrackClient
from pipeline.infra.http.base_url import is_base_url
from pipeline.infra.http.client import HTTPClient, HTTPResponse
from pipeline.infra.http.faults import NOT_PUBLIC

REGIONS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}

_OK = 200
_NOT_FOUND = 404
_REFUSED = frozenset({401, 403})


class CustomerIO:
    """One workspace."""

    platform: ClassVar[str] = "customerio"
    title: ClassVar[str] = "Customer.io"
    web_page: ClassVar[str] = "https://fly.customer.io/"
    steps: ClassVar[tuple[str, ...]] = (
        "Open Account settings, API credentials, Track API keys; copy a Site ID and the API key beside it.",
        "In the workspace's settings let people be identified by both email and id, as new workspaces do.",
        "Switch on “Allow updates to email using ID”: without it a customer keeps their old address there.",
        "Customer.io bills by profile, and the recipients of gifts become profiles too.",
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field("site_id", "Site ID", help="Customer.io: Account settings, API credentials, Track API keys."),
        Field("api_key", "API key", secret=True, help="The API key beside that Site ID."),
        Field(
            "region",
            "Region",
            required=False,
            choices=tuple(REGIONS),
            help="Where the account's data lives; found by itself if it is left out.",
            is_found=True,
        ),
        Field(
            "unsubscribe_refusers",
            "Unsubscribe who refuses marketing",
            default="no",
            choices=("no", "yes"),
            help="Mark customers who refuse marketing at the checkout as unsubscribed. None is ever subscribed.",
        ),
        Field(
            "base_url",
            "Base URL",
            required=False,
            help="Only to send elsewhere than to Customer.io, e.g. a sandbox.",
            sets_host=True,
        ),
    )
    max_items: ClassVar[int] = 2 * limits.MAX_CALL_ITEMS  # with more messages its calls are fuller
    calls_per_second: ClassVar[float] = 100.0  # a tenth of the documented limit: excess may be dropped silently
    calls_at_once: ClassVar[tuple[str, int] | None] = None
    campaign_age_s: ClassVar[int | None] = 72 * 3600  # Customer.io docs, Track API: the timestamp of an event
    forget_modes: ClassVar[tuple[ForgetMode, ...]] = ("delete", "suppress")
    campaign_limit_s: ClassVar[int | None] = 72 * 3600  # Customer.io docs, event-triggered campaigns
    switched_off_after_s: ClassVar[int | None] = None
    address_change_help: ClassVar[str] = (
        "If Customer.io still has the old address: switch on “Allow updates to email using ID” in its settings."
    )

    def __init__(self, config: Mapping[str, str], http: HTTPClient) -> None:
        self._config = _complete_config(config)
        self._http = http
        base_url = self._config["base_url"] or REGIONS["us"]
        self._track = TrackClient(base_url, self._config["site_id"], self._config["api_key"], http)

    def check(self) -> CheckResult:
        """Try the credentials. Without a region the one in which they are accepted is found."""
        if self._config["region"]:
            return self._check_region()
        regions = list(REGIONS) if not self._config["base_url"] else list(REGIONS)[:1]
        refused: BadCredentials | None = None
        for region in regions:
            try:
                return self._with_region(region).check()
            except BadCredentials as error:
                refused = refused or error
            except WrongRegion as error:
                if error.region is None:
                    raise
                return self._with_region(error.region).check()
        raise refused or Misconfigured("region is missing")

    def _with_region(self, region: str) -> CustomerIO:
        return CustomerIO({**self._config, "region": region}, self._http)

    def _check_region(self) -> CheckResult:
        response = self._track.region()
        if response.status in _REFUSED:
            raise BadCredentials(f"Customer.io refused the Site ID and API key ({response.status})")
        if response.status is not None and response.status // 100 == 3:  # noqa: PLR2004 - redirections
            raise WrongRegion("Customer.io redirects this account to another region", _parse_redirect_region(response))
        workspace = _parse_workspace(response)
        region = workspace["region"]
        if region != self._config["region"]:
            raise WrongRegion(f"the account lives in region {region}, not {self._config['region']}", region)
        return CheckResult(str(workspace["environment_id"]), self._config, {"region": region})

    def send(self, messages: Sequence[Message]) -> Reply:
        return sending.send(self._track, messages, unsubscribes_refusers=self._config["unsubscribe_refusers"] == "yes")

    def forget(self, identifiers: Identifiers, mode: ForgetMode) -> Reply:
        return forgetting.forget(self._track, identifiers, mode)


def _complete_config(config: Mapping[str, str]) -> dict[str, str]:
    """Return the config with its defaults, without a base URL while there is no region. Raises Misconfigured."""
    given = {field.key: (config.get(field.key) or field.default or "").strip() for field in CustomerIO.fields}
    if given["base_url"].rstrip("/") in REGIONS.values():  # saved with the region; another region has another
        given["base_url"] = ""
    faults = [f"{field.key} is missing" for field in CustomerIO.fields if field.required and not given[field.key]]
    if given["region"] not in ("", *REGIONS):
        faults.append(f"region must be one of {', '.join(REGIONS)}")
    if given["unsubscribe_refusers"] not in ("no", "yes"):
        faults.append("unsubscribe_refusers must be no or yes")
    if given["base_url"] and not is_base_url(given["base_url"]):
        faults.append("base_url must be an https address without credentials, query or fragment")
    if faults:
        raise Misconfigured("; ".join(faults))
    base_url = given["base_url"] or REGIONS.get(given["region"], "")
    return {**given, "base_url": base_url.rstrip("/")}


def _parse_workspace(response: HTTPResponse) -> dict[str, Any]:
    """Return the body of the region call: {"url", "region", "environment_id"}. Raises WrongAddress or Unreachable."""
    if response.status is None:
        if response.error == NOT_PUBLIC:
            raise WrongAddress("the base URL is not a public address, and may only be called for trying out")
        raise Unreachable(f"no answer from Customer.io: {response.error}")
    if response.status == _NOT_FOUND:
        raise WrongAddress(f"there is no Track API at this address ({response.status})")
    try:
        body = json.loads(response.body) if response.status == _OK else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or body.get("environment_id") is None or body.get("region") not in (*REGIONS,):
        raise Unreachable(f"Customer.io answered {response.status}, but not with an account")
    return body


def _parse_redirect_region(response: HTTPResponse) -> str | None:
    """Return the region that a redirect points to, if known. Redirects are not followed: that drops the credentials."""
    try:
        host = urlsplit(response.headers.get("location", "")).hostname
    except ValueError:
        return None
    return next((region for region, url in REGIONS.items() if urlsplit(url).hostname == host), None)

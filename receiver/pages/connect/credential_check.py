"""Checks a merchant's keys at Cratejoy and at the platform, and assigns each error to its form field."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import ceil

from flask import current_app

from pipeline.core.errors import (
    BadCredentials,
    CratewireError,
    Misconfigured,
    RateLimited,
    Unreachable,
    WrongAddress,
    WrongRegion,
)
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.credentials import BASE_URL, Credentials, parse_credentials
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import CheckResult
from pipeline.infra.http.client import HTTPClient
from receiver.pages.connect.form import ConnectForm
from receiver.pages.rate_limit import RateLimiter, get_client_network

WHOLE_FORM = "submit"  # errors of the whole form are shown at its button
# Checks per minute in one web process, so that no one guesses keys through Cratewire.
MAX_TRIES_PER_NETWORK = 30
MAX_TRIES_PER_TARGET = 10  # per Client ID, or a store's saved keys, and network
MAX_PAUSE_S = 3.0  # that Cratejoy asks for, and that a visitor can wait for


class FormRejected(Exception):
    """The form is rejected; `field` has the error, and the text says what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class CredentialTries:
    """Limits checks of keys per network, and per network and target; no visitor uses up another's limit."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._networks = RateLimiter(MAX_TRIES_PER_NETWORK, now)
        self._targets = RateLimiter(MAX_TRIES_PER_TARGET, now)

    def count(self, network: str | None, target: str) -> None:
        """Count a check of `target`. Raises FormRejected if there were too many. None: an unknown network."""
        if (network is None or self._networks.allows(network)) and self._targets.allows((network, target)):
            return
        raise FormRejected(
            WHOLE_FORM, "Too many keys were checked from your network in the last minute. Please wait a minute."
        )


def count_try(target: str) -> None:
    """Count a check of `target` by the network of this request. Raises FormRejected if there were too many."""
    tries: CredentialTries = current_app.extensions["cratewire.tries"]
    tries.count(get_client_network(), target)


def check_cratejoy(
    form: ConnectForm,
    open_api: Callable[[Credentials], CratejoyClient],
    sleep: Callable[[float], None] = time.sleep,  # seconds
) -> Credentials:
    """Check the store's keys at its API and return them. Raises FormRejected."""
    asks_address = "cratejoy_url" in form
    values = {
        "client_id": form.client_id.data,
        "client_secret": form.client_secret.data,
        "base_url": form.cratejoy_url.data if asks_address else BASE_URL,
    }
    try:
        return try_cratejoy(values, open_api, sleep)
    except FormRejected as error:
        own = "cratejoy_url" if asks_address else WHOLE_FORM
        raise FormRejected(own if error.field == "base_url" else error.field, str(error)) from error


def try_cratejoy(
    values: Mapping[str, str],
    open_api: Callable[[Credentials], CratejoyClient],
    sleep: Callable[[float], None] = time.sleep,  # seconds
) -> Credentials:
    """Check keys and address, and return them. Raises FormRejected for one of them, or for the whole form."""
    try:
        credentials = parse_credentials(values)
        _check_after_short_pause(open_api(credentials), sleep)
    except Misconfigured as error:
        raise FormRejected("base_url" if "address" in str(error) else "client_id", format_error(error)) from error
    except BadCredentials as error:
        raise FormRejected(
            "client_secret",
            "Cratejoy refused this pair. Copy both from Settings, API; they are not your Cratejoy log-in.",
        ) from error
    except RateLimited as error:
        text = f"Cratejoy asks us to wait. Please try again in {ceil(error.seconds)} s."
        raise FormRejected(WHOLE_FORM, text) from error
    except WrongAddress as error:
        raise FormRejected("base_url", format_error(error)) from error
    except Unreachable as error:
        raise FormRejected("base_url", "Cratejoy does not answer correctly. Please try again later.") from error
    return credentials


def _check_after_short_pause(api: CratejoyClient, sleep: Callable[[float], None]) -> None:
    """Check the keys, again after a short pause: the form itself may have caused it by reading the last orders."""
    try:
        api.check()
    except RateLimited as error:
        if error.seconds > MAX_PAUSE_S:
            raise
        sleep(error.seconds)
        api.check()


def check_platform(form: ConnectForm, http: HTTPClient) -> CheckResult:
    """Check the platform's keys. Raises FormRejected."""
    try:
        return try_platform(form.platform.data, form.config(), http)
    except FormRejected as error:
        raise FormRejected(_find_field(form, error.field), str(error)) from error


def try_platform(platform: str, config: Mapping[str, str], http: HTTPClient) -> CheckResult:
    """Check a platform's keys. Raises FormRejected with the key that is to blame; "" if none is."""
    destination = DESTINATIONS[platform]
    fields = destination.fields
    address = next((field.key for field in fields if field.sets_host), "")
    try:
        return destination(config, http).check()
    except WrongRegion as error:
        text = (
            f"{destination.title} has this account in region {error.region}." if error.region else format_error(error)
        )
        raise FormRejected("region", text) from error
    except BadCredentials as error:
        secret = next((field.key for field in fields if field.secret), "")
        raise FormRejected(secret, f"{destination.title} refused these keys. Copy them again.") from error
    except WrongAddress as error:
        raise FormRejected(address, format_error(error)) from error
    except Unreachable as error:
        raise FormRejected(address, f"{destination.title} does not answer as it should. Please try again.") from error
    except Misconfigured as error:
        keys = [field.key for field in fields]
        first = [key for key in keys if str(error).startswith(key)]
        named = next(iter(first + [key for key in keys if key in str(error)]), "")
        raise FormRejected(named, format_error(error)) from error


def _find_field(form: ConnectForm, key: str) -> str:
    """Return the name of the platform's field with this key; WHOLE_FORM if it is not in the form."""
    wanted = f"{form.platform.data}-{key}"
    return wanted if wanted in [field.name for field in form.platform_fields(form.platform.data)] else WHOLE_FORM


def format_error(error: CratewireError) -> str:
    """Format an error message as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."

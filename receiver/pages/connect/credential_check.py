"""Tries a merchant's keys, at Cratejoy and at the platform, and says what is wrong next to the field that is."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

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
from pipeline.cratejoy.credentials import BASE_URL, Credentials
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import CheckResult
from pipeline.infra.http.client import HTTPClient
from receiver.pages.connect.form import ConnectForm
from receiver.pages.rate_limit import RateLimiter

WHOLE_FORM = "submit"  # what is about the form as a whole stands at its button
# Tries of a minute in one web process: who guesses keys shall not do it through us.
MAX_TRIES_PER_NETWORK = 30
MAX_TRIES_PER_TARGET = 10  # of one Client ID, or of one store's saved keys, from one network


class FormRejected(Exception):
    """The form cannot go on; `field` is where, and the text says what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class CredentialTries:
    """Counts the tries of keys, for each network and for each network's pair or store; no visitor uses up another's."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._networks = RateLimiter(MAX_TRIES_PER_NETWORK, now)
        self._same = RateLimiter(MAX_TRIES_PER_TARGET, now)

    def take(self, network: str | None, what: str) -> None:
        """One more, of `what`. Raise Refused if there have been too many. An unknown network is no network."""
        if (network is None or self._networks.allows(network)) and self._same.allows((network, what)):
            return
        raise FormRejected(
            WHOLE_FORM, "Too many keys were tried from your network in the last minute. Please wait a minute."
        )


def check_cratejoy(form: ConnectForm, open_api: Callable[[Credentials], CratejoyClient]) -> Credentials:
    """The store's keys, accepted by its API. Raises Refused: of the address where that is asked for, or of the keys."""
    url = form.cratejoy_url.data if "cratejoy_url" in form else BASE_URL
    address = "cratejoy_url" if "cratejoy_url" in form else WHOLE_FORM
    try:
        credentials = Credentials(form.client_id.data, form.client_secret.data, url)
        open_api(credentials).check()
    except Misconfigured as error:
        raise FormRejected(address if "address" in str(error) else "client_id", format_error(error)) from error
    except BadCredentials as error:
        raise FormRejected(
            "client_secret",
            "Cratejoy refused this pair. Copy both from Settings, API; they are not what you log in to Cratejoy with.",
        ) from error
    except RateLimited as error:
        text = f"Cratejoy asks us to wait. Please try again in {ceil(error.seconds)} s."
        raise FormRejected(WHOLE_FORM, text) from error
    except WrongAddress as error:
        raise FormRejected(address, format_error(error)) from error
    except Unreachable as error:
        raise FormRejected(address, "Cratejoy does not answer as it should. Please try again in a while.") from error
    return credentials


def check_platform(form: ConnectForm, http: HTTPClient) -> CheckResult:
    """The platform's answer to its keys. Raises Refused."""
    cls = DESTINATIONS[form.platform.data]
    try:
        return cls(form.config(), http).check()
    except WrongRegion as error:
        text = f"{cls.title} has this account in region {error.region}." if error.region else format_error(error)
        raise FormRejected(_find_field(form, "region"), text) from error
    except BadCredentials as error:
        raise FormRejected(_find_secret_field(form), f"{cls.title} refused these keys. Copy them again.") from error
    except WrongAddress as error:
        raise FormRejected(_find_address_field(form), format_error(error)) from error
    except Unreachable as error:
        raise FormRejected(
            _find_address_field(form), f"{cls.title} does not answer as it should. Please try again."
        ) from error
    except Misconfigured as error:
        raise FormRejected(_find_named_field(form, error), format_error(error)) from error


def _find_field(form: ConnectForm, key: str) -> str:
    """The platform's field with this key; the form as a whole if it is not drawn."""
    wanted = f"{form.platform.data}-{key}"
    return wanted if wanted in [field.name for field in form.declared(form.platform.data)] else WHOLE_FORM


def _find_address_field(form: ConnectForm) -> str:
    """Where the platform is, if that is asked for: no key is to blame for an address."""
    fields = DESTINATIONS[form.platform.data].fields
    return _find_field(form, next((field.key for field in fields if field.sets_host), ""))


def _find_named_field(form: ConnectForm, error: Misconfigured) -> str:
    """The first field that a fault of the configuration names."""
    fields = DESTINATIONS[form.platform.data].fields
    return _find_field(form, next((field.key for field in fields if field.key in str(error)), ""))


def _find_secret_field(form: ConnectForm) -> str:
    fields = DESTINATIONS[form.platform.data].fields
    return _find_field(form, next((field.key for field in fields if field.secret), ""))


def format_error(error: CratewireError) -> str:
    """What an error says, as a page says it."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."

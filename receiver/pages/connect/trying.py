"""Tries a merchant's keys, at Cratejoy and at the platform, and says what is wrong next to the field that is."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.credentials import BASE_URL, Credentials
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.port import Checked
from pipeline.errors import (
    BadCredentials,
    CratewireError,
    Misconfigured,
    Unreachable,
    Wait,
    WrongAddress,
    WrongRegion,
)
from pipeline.http import HTTP
from receiver.pages.connect.form import ConnectForm
from receiver.pages.crowd import Crowd

GENERAL = "submit"  # what is about the form as a whole stands at its button
# Tries of a minute in one web process: who guesses keys shall not do it through us.
MOST_OF_NETWORK = 30
MOST_OF_SAME = 10  # of one Client ID, or of one store's saved keys, from one network


class Refused(Exception):
    """The form cannot go on; `field` is where, and the text says what to do."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class Tries:
    """Counts the tries of keys, for each network and for each network's pair or store; no visitor uses up another's."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._networks = Crowd(MOST_OF_NETWORK, now)
        self._same = Crowd(MOST_OF_SAME, now)

    def take(self, network: str | None, what: str) -> None:
        """One more, of `what`. Raise Refused if there have been too many. An unknown network is no network."""
        if (network is None or self._networks.lets_in(network)) and self._same.lets_in((network, what)):
            return
        raise Refused(GENERAL, "Too many keys were tried from your network in the last minute. Please wait a minute.")


def try_cratejoy(form: ConnectForm, open_api: Callable[[Credentials], Cratejoy]) -> Credentials:
    """The store's keys, accepted by its API. Raises Refused: of the address where that is asked for, or of the keys."""
    url = form.cratejoy_url.data if "cratejoy_url" in form else BASE_URL
    address = "cratejoy_url" if "cratejoy_url" in form else GENERAL
    try:
        credentials = Credentials(form.client_id.data, form.client_secret.data, url)
        open_api(credentials).check()
    except Misconfigured as error:
        raise Refused(address if "address" in str(error) else "client_id", sentence(error)) from error
    except BadCredentials as error:
        raise Refused(
            "client_secret",
            "Cratejoy refused this pair. Copy both from Settings, API; they are not what you log in to Cratejoy with.",
        ) from error
    except Wait as error:
        text = f"Cratejoy asks us to wait. Please try again in {ceil(error.seconds)} s."
        raise Refused(GENERAL, text) from error
    except WrongAddress as error:
        raise Refused(address, sentence(error)) from error
    except Unreachable as error:
        raise Refused(address, "Cratejoy does not answer as it should. Please try again in a while.") from error
    return credentials


def try_platform(form: ConnectForm, http: HTTP) -> Checked:
    """The platform's answer to its keys. Raises Refused."""
    cls = DESTINATIONS[form.platform.data]
    try:
        return cls(form.config(), http).check()
    except WrongRegion as error:
        text = f"{cls.title} has this account in region {error.region}." if error.region else sentence(error)
        raise Refused(_field(form, "region"), text) from error
    except BadCredentials as error:
        raise Refused(_secret(form), f"{cls.title} refused these keys. Copy them again.") from error
    except WrongAddress as error:
        raise Refused(_address(form), sentence(error)) from error
    except Unreachable as error:
        raise Refused(_address(form), f"{cls.title} does not answer as it should. Please try again.") from error
    except Misconfigured as error:
        raise Refused(_named(form, error), sentence(error)) from error


def _field(form: ConnectForm, key: str) -> str:
    """The platform's field with this key; the form as a whole if it is not drawn."""
    wanted = f"{form.platform.data}-{key}"
    return wanted if wanted in [field.name for field in form.declared(form.platform.data)] else GENERAL


def _address(form: ConnectForm) -> str:
    """Where the platform is, if that is asked for: no key is to blame for an address."""
    fields = DESTINATIONS[form.platform.data].fields
    return _field(form, next((field.key for field in fields if field.elsewhere), ""))


def _named(form: ConnectForm, error: Misconfigured) -> str:
    """The first field that a fault of the configuration names."""
    fields = DESTINATIONS[form.platform.data].fields
    return _field(form, next((field.key for field in fields if field.key in str(error)), ""))


def _secret(form: ConnectForm) -> str:
    fields = DESTINATIONS[form.platform.data].fields
    return _field(form, next((field.key for field in fields if field.secret), ""))


def sentence(error: CratewireError) -> str:
    """What an error says, as a page says it."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."

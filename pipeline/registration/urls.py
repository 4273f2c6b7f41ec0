"""The addresses of a store's hooks, and whether an address is one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline import tokens
from pipeline.errors import InvalidToken
from pipeline.events.table import EVENTS

_PARTS = 4  # hooks, store, token, event
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class OurTarget:
    """An address that leads to us. `version` None: to our host, but with a token nobody here signed."""

    event: str
    version: int | None


Recognise = Callable[[str], OurTarget | None]


def hook_urls(secret_keys: Sequence[str], public_url: str, store: str, version: int) -> dict[str, str]:
    """The URL of every event: its body does not name it, so its address must."""
    token = tokens.sign(secret_keys, store, version)
    return {event: f"{public_url}/hooks/{store}/{token}/{event}" for event in EVENTS}


def recogniser(secret_keys: Sequence[str], public_url: str, store: str) -> Recognise:
    """What tells this store's addresses from others': our signature, wherever they lead; or our host.

    So hooks are ours after the service has moved to another host, and after its key was lost.
    """

    def recognise(target: str) -> OurTarget | None:
        parts = _path_of(target).split("/")[-_PARTS:]
        if len(parts) != _PARTS or parts[:2] != ["hooks", store]:
            return None
        _, _, token, event = parts
        try:
            return OurTarget(event, tokens.verify(secret_keys, store, token))
        except InvalidToken:
            here = target.startswith(f"{public_url}/hooks/{store}/")
            return OurTarget(event, None) if here else None

    return recognise


def host_of(target: str) -> str | None:
    """As much of an address as anybody may see."""
    try:
        return urlsplit(target).hostname
    except ValueError:
        return None


def reaches(public_url: str, api_url: str) -> bool:
    """Whether the store whose API is there can reach us here: a loopback address leads to us from this machine only."""
    return host_of(public_url) not in _LOOPBACK or host_of(api_url) in _LOOPBACK


def _path_of(target: str) -> str:
    try:
        return urlsplit(target).path
    except ValueError:
        return ""

"""The addresses of a store's hooks, and whether an address is one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pipeline.core.errors import InvalidToken
from pipeline.events.catalogue import EVENTS
from pipeline.infra.crypto import hook_tokens

_PATH_PARTS = 4  # hooks, store, token, event
_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class HookTarget:
    """An address that leads to us. `version` None: to our host, but with a token nobody here signed."""

    event: str
    version: int | None


TargetParser = Callable[[str], HookTarget | None]


def build_hook_urls(secret_keys: Sequence[str], public_url: str, store: str, version: int) -> dict[str, str]:
    """The URL of every event: its body does not name it, so its address must."""
    token = hook_tokens.sign(secret_keys, store, version)
    return {event: f"{public_url}/hooks/{store}/{token}/{event}" for event in EVENTS}


def build_target_parser(secret_keys: Sequence[str], public_url: str, store: str) -> TargetParser:
    """What tells this store's addresses from others': our signature, wherever they lead; or our host.

    So hooks are ours after the service has moved to another host, and after its key was lost.
    """

    def recognise(target: str) -> HookTarget | None:
        parts = _get_path(target).split("/")[-_PATH_PARTS:]
        if len(parts) != _PATH_PARTS or parts[:2] != ["hooks", store]:
            return None
        _, _, token, event = parts
        try:
            return HookTarget(event, hook_tokens.verify(secret_keys, store, token))
        except InvalidToken:
            here = target.startswith(f"{public_url}/hooks/{store}/")
            return HookTarget(event, None) if here else None

    return recognise


def get_host(target: str) -> str | None:
    """As much of an address as anybody may see."""
    try:
        return urlsplit(target).hostname
    except ValueError:
        return None


def is_reachable_from(public_url: str, api_url: str) -> bool:
    """Whether the store whose API is there can reach us here: a loopback address leads to us from this machine only."""
    return get_host(public_url) not in _LOOPBACK_HOSTS or get_host(api_url) in _LOOPBACK_HOSTS


def _get_path(target: str) -> str:
    try:
        return urlsplit(target).path
    except ValueError:
        return ""

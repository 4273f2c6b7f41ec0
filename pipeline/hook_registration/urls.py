"""The URLs of a store's hooks, and how to recognise one of them."""

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
    """A URL that leads to us. `version` None: it leads to our host, but our keys did not sign its token."""

    event: str
    version: int | None


TargetParser = Callable[[str], HookTarget | None]


def build_hook_urls(secret_keys: Sequence[str], public_url: str, store: str, version: int) -> dict[str, str]:
    """The URL of each event. The body of a hook does not name its event, so the URL does."""
    token = hook_tokens.sign(secret_keys, store, version)
    return {event: f"{public_url}/hooks/{store}/{token}/{event}" for event in EVENTS}


def build_target_parser(secret_keys: Sequence[str], public_url: str, store: str) -> TargetParser:
    """A function that recognises this store's URLs: by our signature, whatever the host; or by our host.

    So we recognise our hooks after the service has moved to another host, and after its secret key was lost.
    """

    def parse_target(target: str) -> HookTarget | None:
        parts = _get_path(target).split("/")[-_PATH_PARTS:]
        if len(parts) != _PATH_PARTS or parts[:2] != ["hooks", store]:
            return None
        _, _, token, event = parts
        try:
            return HookTarget(event, hook_tokens.verify(secret_keys, store, token))
        except InvalidToken:
            is_our_host = target.startswith(f"{public_url}/hooks/{store}/")
            return HookTarget(event, None) if is_our_host else None

    return parse_target


def get_host(target: str) -> str | None:
    """The host of a URL: the only part that is not secret."""
    try:
        return urlsplit(target).hostname
    except ValueError:
        return None


def is_reachable_from(public_url: str, api_url: str) -> bool:
    """Whether the server of that API can reach us: a loopback address leads to us from this machine only."""
    return get_host(public_url) not in _LOOPBACK_HOSTS or get_host(api_url) in _LOOPBACK_HOSTS


def _get_path(target: str) -> str:
    try:
        return urlsplit(target).path
    except ValueError:
        return ""

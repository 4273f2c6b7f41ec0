"""Which addresses may be called with keys."""

from __future__ import annotations

from urllib.parse import urlsplit

from pipeline.infra.http.public_addresses import LOOPBACK


def is_base_url(text: str) -> bool:
    """Return whether it is an https address (http on this machine) without credentials, query or fragment."""
    return is_message_url(text) and not urlsplit(text).query


def is_message_url(text: str) -> bool:
    """Return whether it is an https address (http on this machine) without credentials or fragment."""
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    return usable and safe and not (parts.username or parts.fragment)

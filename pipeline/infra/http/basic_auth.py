"""Basic authentication (RFC 7617)."""

from __future__ import annotations

import base64


def build_basic_auth(user: str, password: str) -> str:
    """Return the value of the Authorization header, with the pair in UTF-8."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode('ascii')}"

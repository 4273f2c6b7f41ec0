"""Keys for the pages, each for one purpose, made from the installation's secret keys: the first makes, all open."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

APPS = "authenticator apps"
CODES = "recovery codes"


def derived(secret_keys: Sequence[str], purpose: str) -> list[str]:
    """One key for every secret key, in their order, as 43 characters and a sign of equality: Fernet's form."""
    return [_derived(key, purpose) for key in secret_keys]


def tag_of(key: str) -> str:
    """A name for a key that does not give it away and stays when other keys come and go."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _derived(key: str, purpose: str) -> str:
    digest = hmac.new(key.encode(), f"cratewire pages: {purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii")

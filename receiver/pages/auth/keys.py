"""Keys for the pages, each for one purpose, made from the installation's secret keys: the first makes, all open."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

AUTHENTICATOR_KEYS = "authenticator apps"
RECOVERY_CODE_KEYS = "recovery codes"


def derive_keys(secret_keys: Sequence[str], purpose: str) -> list[str]:
    """One key for every secret key, in their order, as 43 characters and a sign of equality: Fernet's form."""
    return [_derive_key(key, purpose) for key in secret_keys]


def fingerprint_of_key(key: str) -> str:
    """A name for a key that does not give it away and stays when other keys come and go."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _derive_key(key: str, purpose: str) -> str:
    digest = hmac.new(key.encode(), f"cratewire pages: {purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii")

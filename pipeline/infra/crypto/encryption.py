"""Encrypts credentials and mails at rest, with keys derived from the installation's secret keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.core.errors import Misconfigured

_PURPOSE = b"cratewire connection config"  # separates these keys from those that sign tokens


def encrypt(secret_keys: Sequence[str], config: Mapping[str, str]) -> bytes:
    """Encrypt with the first key."""
    return _multi_fernet(tuple(secret_keys)).encrypt(json.dumps(dict(config)).encode("ascii"))


def decrypt(secret_keys: Sequence[str], blob: bytes) -> dict[str, str]:
    """Decrypt with whichever key fits. Raise Misconfigured if none does."""
    try:
        text = _multi_fernet(tuple(secret_keys)).decrypt(blob)
    except InvalidToken:
        raise _no_matching_key() from None
    config: dict[str, str] = json.loads(text)
    return config


def can_decrypt(secret_keys: Sequence[str], blob: bytes) -> bool:
    """Whether any of the keys decrypts it."""
    try:
        _multi_fernet(tuple(secret_keys)).decrypt(blob)
    except InvalidToken:
        return False
    return True


def reencrypt(secret_keys: Sequence[str], blob: bytes) -> bytes:
    """Encrypt the same config with the first key, so that older keys can be removed."""
    try:
        return _multi_fernet(tuple(secret_keys)).rotate(blob)
    except InvalidToken:
        raise _no_matching_key() from None


def _no_matching_key() -> Misconfigured:
    return Misconfigured(
        "CRATEWIRE_SECRET_KEY: none of the keys decrypts this connection's credentials; "
        "add the key they were saved with, or enter them again"
    )


@lru_cache(maxsize=8)
def _multi_fernet(secret_keys: tuple[str, ...]) -> MultiFernet:
    if not secret_keys:
        raise ValueError("no secret key to encrypt with")
    return MultiFernet([Fernet(_derive_key(key)) for key in secret_keys])


def _derive_key(secret_key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derivation.derive(secret_key.encode("utf-8")))

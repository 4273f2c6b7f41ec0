"""Derives the pages' keys from the secret keys, one per purpose, and re-encrypts second factors with the first one."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from passlib.totp import TOTP, AppWallet
from sqlalchemy import Connection, select, update

from pipeline.core.errors import Misconfigured
from pipeline.ledger.schema.accounts import User

AUTHENTICATOR_KEYS = "authenticator apps"
RECOVERY_CODE_KEYS = "recovery codes"


def derive_keys(secret_keys: Sequence[str], purpose: str) -> list[str]:
    """Derive a key for the purpose from each secret key, in their order, in Fernet's format."""
    return [_derive_key(key, purpose) for key in secret_keys]


def fingerprint_of_key(key: str) -> str:
    """Return a stable name for a key that does not reveal it."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _derive_key(key: str, purpose: str) -> str:
    digest = hmac.new(key.encode(), f"cratewire pages: {purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii")


def reencrypt_second_factors(conn: Connection, secret_keys: Sequence[str]) -> dict[str, int]:
    """Re-encrypt all second factors. Returns how many users have one. Raises Misconfigured if a key is missing."""
    with_second_factor = select(User.id, User.tf_totp_secret, User.mf_recovery_codes).where(
        User.tf_totp_secret.is_not(None)
    )
    rows = conn.execute(with_second_factor.with_for_update()).all()
    for user_id, secret, codes in rows:
        values = {
            "tf_totp_secret": _reencrypt_totp_secret(secret_keys, secret),
            "mf_recovery_codes": _reencrypt_recovery_codes(secret_keys, codes),
        }
        conn.execute(update(User).where(User.id == user_id).values(values))
    return {"second_factors": len(rows)}


def build_wallet(keys: Sequence[str]) -> AppWallet:
    """Build passlib's wallet, which encrypts with the first key."""
    return AppWallet({fingerprint_of_key(key): key for key in keys}, default_tag=fingerprint_of_key(keys[0]))


def _reencrypt_totp_secret(secret_keys: Sequence[str], secret: str) -> str:
    factory = TOTP.using(wallet=build_wallet(derive_keys(secret_keys, AUTHENTICATOR_KEYS)))
    try:
        text: str = factory.from_source(secret).to_json(encrypt=True)
    except (KeyError, ValueError):
        raise _build_missing_key_error() from None
    return text


def _reencrypt_recovery_codes(secret_keys: Sequence[str], codes: list[str] | None) -> list[str] | None:
    fernet = MultiFernet([Fernet(key) for key in derive_keys(secret_keys, RECOVERY_CODE_KEYS)])
    try:
        return None if codes is None else [fernet.rotate(code).decode("ascii") for code in codes]
    except InvalidToken:
        raise _build_missing_key_error() from None


def _build_missing_key_error() -> Misconfigured:
    return Misconfigured(
        "CRATEWIRE_SECRET_KEY: no key decrypts a saved second factor; add the key that it was encrypted with"
    )

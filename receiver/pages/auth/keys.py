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
from pipeline.infra.crypto.encryption import RowIdentity, decrypt, encrypt
from pipeline.ledger.schema.accounts import User

AUTHENTICATOR_KEYS = "authenticator apps"
RECOVERY_CODE_KEYS = "recovery codes"
_BOUND = "row:"  # what begins a secret that is bound to a user


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
            "tf_totp_secret": _reencrypt_totp_secret(secret_keys, user_id, secret),
            "mf_recovery_codes": _reencrypt_recovery_codes(secret_keys, user_id, codes),
        }
        conn.execute(update(User).where(User.id == user_id).values(values))
    return {"second_factors": len(rows)}


def bind(secret_keys: Sequence[str], user_id: int, secret: str) -> str:
    """Encrypt a secret of Flask-Security once more, for the row of its user: its own encryption names none."""
    return _BOUND + encrypt(secret_keys, {"secret": secret}, _build_identity(user_id)).decode("ascii")


def unbind(secret_keys: Sequence[str], user_id: int, stored: str) -> str:
    """Return the secret that was bound to this user, or a secret of an earlier version, which is bound to none.

    Raises Misconfigured if it was bound to another user, or if a key is missing.
    """
    if not stored.startswith(_BOUND):
        return stored
    return decrypt(secret_keys, stored.removeprefix(_BOUND).encode("ascii"), _build_identity(user_id))["secret"]


def count_unbound_second_factors(conn: Connection) -> int:
    """Return how many users have a second factor of an earlier version, which names no user."""
    secrets = conn.execute(select(User.tf_totp_secret).where(User.tf_totp_secret.is_not(None))).scalars()
    return sum(not str(secret).startswith(_BOUND) for secret in secrets)


def _build_identity(user_id: int) -> RowIdentity:
    return RowIdentity("users", user_id)


def build_wallet(keys: Sequence[str]) -> AppWallet:
    """Build passlib's wallet, which encrypts with the first key."""
    return AppWallet({fingerprint_of_key(key): key for key in keys}, default_tag=fingerprint_of_key(keys[0]))


def _reencrypt_totp_secret(secret_keys: Sequence[str], user_id: int, stored: str) -> str:
    factory = TOTP.using(wallet=build_wallet(derive_keys(secret_keys, AUTHENTICATOR_KEYS)))
    try:
        text: str = factory.from_source(unbind(secret_keys, user_id, stored)).to_json(encrypt=True)
    except (KeyError, ValueError):
        raise _build_missing_key_error() from None
    return bind(secret_keys, user_id, text)


def _reencrypt_recovery_codes(secret_keys: Sequence[str], user_id: int, stored: list[str] | None) -> list[str] | None:
    if stored is None:
        return None
    fernet = MultiFernet([Fernet(key) for key in derive_keys(secret_keys, RECOVERY_CODE_KEYS)])
    codes = [unbind(secret_keys, user_id, code) for code in stored]
    try:
        return [bind(secret_keys, user_id, fernet.rotate(code).decode("ascii")) for code in codes]
    except InvalidToken:
        raise _build_missing_key_error() from None


def _build_missing_key_error() -> Misconfigured:
    return Misconfigured(
        "CRATEWIRE_SECRET_KEY: no key decrypts a saved second factor; add the key that it was encrypted with"
    )

"""Keys for the pages, each for one purpose, made from the installation's secret keys: the first makes, all open."""

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
    """One key for every secret key, in their order, as 43 characters and a sign of equality: Fernet's form."""
    return [_derive_key(key, purpose) for key in secret_keys]


def fingerprint_of_key(key: str) -> str:
    """A name for a key that does not give it away and stays when other keys come and go."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def _derive_key(key: str, purpose: str) -> str:
    digest = hmac.new(key.encode(), f"cratewire pages: {purpose}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii")


def reencrypt_second_factors(db: Connection, secret_keys: Sequence[str]) -> dict[str, int]:
    """How many users' factors were encrypted anew. Raise Misconfigured if a key is missing."""
    mine = select(User.id, User.tf_totp_secret, User.mf_recovery_codes).where(User.tf_totp_secret.is_not(None))
    rows = db.execute(mine.with_for_update()).all()
    for user_id, secret, codes in rows:
        anew = {
            "tf_totp_secret": _reencrypt_totp_secret(secret_keys, secret),
            "mf_recovery_codes": _reencrypt_recovery_codes(secret_keys, codes),
        }
        db.execute(update(User).where(User.id == user_id).values(anew))
    return {"second_factors": len(rows)}


def build_wallet(keys: Sequence[str]) -> AppWallet:
    """Encrypts with the first key."""
    return AppWallet({fingerprint_of_key(key): key for key in keys}, default_tag=fingerprint_of_key(keys[0]))


def _reencrypt_totp_secret(secret_keys: Sequence[str], secret: str) -> str:
    factory = TOTP.using(wallet=build_wallet(derive_keys(secret_keys, AUTHENTICATOR_KEYS)))
    try:
        text: str = factory.from_source(secret).to_json(encrypt=True)
    except (KeyError, ValueError):
        raise _build_missing_key_error() from None
    return text


def _reencrypt_recovery_codes(secret_keys: Sequence[str], codes: list[str] | None) -> list[str] | None:
    box = MultiFernet([Fernet(key) for key in derive_keys(secret_keys, RECOVERY_CODE_KEYS)])
    try:
        return None if codes is None else [box.rotate(code).decode("ascii") for code in codes]
    except InvalidToken:
        raise _build_missing_key_error() from None


def _build_missing_key_error() -> Misconfigured:
    return Misconfigured(
        "CRATEWIRE_SECRET_KEY: none of the keys opens a saved second factor; add the one it was made with"
    )

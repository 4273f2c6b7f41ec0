"""Encrypts second factors anew with the first secret key: their form is Flask-Security's, so it is known here only."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from passlib.totp import TOTP, AppWallet
from sqlalchemy import Connection, select, update

from pipeline.errors import Misconfigured
from pipeline.ledger.account_tables import User
from receiver.pages.keys import APPS, CODES, derived, tag_of


def reseal_factors(db: Connection, secret_keys: Sequence[str]) -> dict[str, int]:
    """How many users' factors were encrypted anew. Raise Misconfigured if a key is missing."""
    mine = select(User.id, User.tf_totp_secret, User.mf_recovery_codes).where(User.tf_totp_secret.is_not(None))
    rows = db.execute(mine.with_for_update()).all()
    for user_id, secret, codes in rows:
        anew = {"tf_totp_secret": _app(secret_keys, secret), "mf_recovery_codes": _codes(secret_keys, codes)}
        db.execute(update(User).where(User.id == user_id).values(anew))
    return {"second_factors": len(rows)}


def wallet(keys: Sequence[str]) -> AppWallet:
    """Encrypts with the first key."""
    return AppWallet({tag_of(key): key for key in keys}, default_tag=tag_of(keys[0]))


def _app(secret_keys: Sequence[str], secret: str) -> str:
    factory = TOTP.using(wallet=wallet(derived(secret_keys, APPS)))
    try:
        text: str = factory.from_source(secret).to_json(encrypt=True)
    except (KeyError, ValueError):
        raise _missing() from None
    return text


def _codes(secret_keys: Sequence[str], codes: list[str] | None) -> list[str] | None:
    box = MultiFernet([Fernet(key) for key in derived(secret_keys, CODES)])
    try:
        return None if codes is None else [box.rotate(code).decode("ascii") for code in codes]
    except InvalidToken:
        raise _missing() from None


def _missing() -> Misconfigured:
    return Misconfigured(
        "CRATEWIRE_SECRET_KEY: none of the keys opens a saved second factor; add the one it was made with"
    )

"""One-time codes of authenticator apps: no code twice, none while the account is locked, secrets encrypted."""

from __future__ import annotations

from typing import Any

from flask_security import Totp, TwoFactorRescueForm, UserMixin
from passlib.totp import TOTP, AppWallet, TotpMatch

from receiver.pages.users import WebUser


class Codes(Totp):
    """Flask-Security's, with a memory. `secrets` is in the order of the installation's keys: the first one encrypts."""

    def __init__(self, secrets: dict[str, str], issuer: str) -> None:
        wallet = AppWallet(secrets, default_tag=next(iter(secrets)))
        self._totp = TOTP.using(issuer=issuer, wallet=wallet)

    def verify_totp(self, token: str, totp_secret: str, user: UserMixin, window: int = 0) -> bool:
        right: bool = super().verify_totp(token, totp_secret, user, window)
        return right and isinstance(user, WebUser) and not user.locked

    def get_last_counter(self, user: UserMixin) -> int | None:
        return user.tf_counter if isinstance(user, WebUser) else None

    def set_last_counter(self, user: UserMixin, tmatch: TotpMatch) -> None:
        """Saved when the view commits."""
        if isinstance(user, WebUser):
            user.tf_counter = tmatch.counter


class Rescue(TwoFactorRescueForm):
    """Recovery codes are the rescue. A mail to an administrator, which is theirs, would reach nobody here."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.help_setup.choices = []

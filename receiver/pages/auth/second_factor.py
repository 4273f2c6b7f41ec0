"""One-time codes of authenticator apps: accepted once, and not while the account is locked; secrets are encrypted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, current_app, render_template
from flask import session as cookie
from flask_security import Totp, TwoFactorRescueForm, TwoFactorSetupForm, UserMixin, current_user
from flask_security.utils import check_and_get_token_status
from passlib.totp import TOTP, AppWallet, TotpMatch

from pipeline.core.errors import Misconfigured
from receiver.pages.auth.keys import unbind
from receiver.pages.auth.users import WebUser
from receiver.pages.db_session import get_context

log = structlog.get_logger(__name__)


class OneTimeCodes(Totp):
    """Flask-Security's Totp, which accepts each code once, and no secret of another user.

    The first of `secrets` encrypts.
    """

    def __init__(self, secrets: dict[str, str], issuer: str) -> None:
        wallet = AppWallet(secrets, default_tag=next(iter(secrets)))
        self._totp = TOTP.using(issuer=issuer, wallet=wallet)

    def verify_totp(self, token: str, totp_secret: str, user: UserMixin, window: int = 0) -> bool:
        try:
            secret = unbind(get_context().settings.secret_keys, user.id, totp_secret)
        except Misconfigured as error:
            log.warning("a second factor is refused", user=user.id, reason=str(error))
            return False
        is_valid: bool = super().verify_totp(token, secret, user, window)
        return is_valid and isinstance(user, WebUser) and not user.is_locked_out

    def get_last_counter(self, user: UserMixin) -> int | None:
        return user.tf_counter if isinstance(user, WebUser) else None

    def set_last_counter(self, user: UserMixin, tmatch: TotpMatch) -> None:
        """Set the counter; the view commits it."""
        if isinstance(user, WebUser):
            user.tf_counter = tmatch.counter


class RecoveryCodeForm(TwoFactorRescueForm):
    """Offers only recovery codes, not Flask-Security's mail to an administrator."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.help_setup.choices = []


class SetupForm(TwoFactorSetupForm):
    """Preselects the only method."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.setup.data = self.setup.data or "authenticator"


def improve_setup(app: Flask) -> None:
    """Keep a new secret after a mistyped code, and show recovery codes as soon as the second factor is on."""
    name = "security.two_factor_setup_validate"
    app.view_functions[name] = _keep_secret_on_error(app.view_functions[name])


def _keep_secret_on_error(validate: Callable[..., Any]) -> Callable[..., Any]:
    def view(token: str) -> Any:
        old_secret = getattr(current_user, "tf_totp_secret", None)  # of a visitor who is not logged in there is none
        response = validate(token)
        if not current_user.is_authenticated:
            return response
        if current_user.tf_totp_secret != old_secret:
            return _render_recovery_codes()
        expired, invalid, state = check_and_get_token_status(token, "tf_setup", _get_setup_timeout())
        return response if expired or invalid else _render_setup_again(token, state["totp_secret"])

    return view


def _render_setup_again(token: str, secret: str) -> str:
    """Render the page with the same secret, which the app has already."""
    cookie.pop("_flashes", None)  # Flask-Security's messages, for a page that is not shown
    security = current_app.extensions["security"]
    values = security.totp_factory.fetch_setup_values(secret, current_user)
    code = security.forms["two_factor_verify_code_form"].cls()
    code.code.errors = ["This code is wrong or too old. Enter the code that the app shows now."]
    return render_template(
        "security/two_factor_setup.html",
        two_factor_setup_form=security.forms["two_factor_setup_form"].cls(),
        two_factor_verify_code_form=code,
        choices=["authenticator"],
        chosen_method="authenticator",
        changing=True,
        state_token=token,
        authr_qrcode=values["image"],
        authr_key=values["key"],
        primary_method="off",
    )


def _render_recovery_codes() -> str:
    """Render the existing recovery codes, or new ones: after the app is lost they cannot be requested."""
    security = current_app.extensions["security"]
    codes = security.mf_recovery_codes_util
    values = codes.get_recovery_codes(current_user) or codes.create_recovery_codes(current_user)
    security.datastore.commit()
    form = security.forms["mf_recovery_codes_form"].cls()
    return render_template("security/mf_recovery_codes.html", mf_recovery_codes_form=form, recovery_codes=values)


def _get_setup_timeout() -> Any:
    return current_app.config["SECURITY_TWO_FACTOR_SETUP_WITHIN"]

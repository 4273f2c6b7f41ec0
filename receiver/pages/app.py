"""The application of the pages: accounts, the connect form, and what a merchant sees of their stores."""

from __future__ import annotations

from flask import Flask
from flask_security import (
    Security,
    change_email_confirmed,
    hash_password,
    password_reset,
    reset_password_instructions_sent,
    user_authenticated,
)
from flask_wtf import CSRFProtect

from receiver.pages import account, backfills, home, invitations, resuming, shown
from receiver.pages.config import pages_config
from receiver.pages.connect import views as connect
from receiver.pages.crowd import keep_crowds_out
from receiver.pages.errors import add_error_pages
from receiver.pages.headers import add_headers
from receiver.pages.letters import Letters, tell_the_old_address
from receiver.pages.links import ask_before_acting
from receiver.pages.log_in import LogIn
from receiver.pages.log_ins import keep_log_ins
from receiver.pages.passwords import Passwords
from receiver.pages.second_factor import Codes, Rescue, Setup, keep_at_it
from receiver.pages.sessions import close_sessions
from receiver.pages.site import Site
from receiver.pages.users import Users, WebUser
from receiver.pages.wording import speak_our_way


def create_pages(site: Site) -> Flask:
    """The pages of this installation."""
    app = Flask("receiver.pages", static_url_path="/static")
    app.config.update(pages_config(site.settings))
    app.extensions["cratewire.site"] = site
    close_sessions(app)
    keep_crowds_out(app, site.now)
    CSRFProtect(app)  # before Security, which looks for it
    security = Security(
        app,
        Users(),
        login_form=LogIn,
        mail_util_cls=Letters,
        totp_cls=Codes,
        two_factor_rescue_form=Rescue,
        two_factor_setup_form=Setup,
    )
    security.pwd_context = Passwords()
    password_reset.connect(_forgive_all, app)
    user_authenticated.connect(_forgive, app)
    keep_log_ins(app)
    ask_before_acting(app)
    keep_at_it(app)
    change_email_confirmed.connect(tell_the_old_address, app)
    reset_password_instructions_sent.connect(_take_as_long, app)
    for part in (home, backfills, resuming, account, invitations):
        app.register_blueprint(part.blueprint)
    connect.prepare(app)
    speak_our_way(app)
    shown.add_filters(app)
    app.context_processor(lambda: {"mails_at": _mails_at(site)})
    add_error_pages(app)
    add_headers(app, https=site.settings.public_url.startswith("https://"))
    return app


def _mails_at(site: Site) -> str | None:
    """Where the mails are without a mail server; the place is named where only the operator looks at pages."""
    if site.settings.smtp_url is not None:
        return None
    return str(site.settings.data_dir / "mail") if site.settings.connect_anywhere else ""


def _forgive(_app: Flask, user: WebUser, **_: object) -> None:
    """A log-in forgets the failures of its network."""
    user.forgive(everywhere=False)


def _forgive_all(_app: Flask, user: WebUser, **_: object) -> None:
    """A new password, chosen by a mail, forgets all failures."""
    user.forgive(everywhere=True)


def _take_as_long(_app: Flask, **_: object) -> None:
    """As for an address that nobody has: Flask-Security hashes something then, so that the time tells nothing."""
    hash_password("no password")

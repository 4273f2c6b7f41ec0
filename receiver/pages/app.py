"""The Flask application of the pages: accounts, the connect form, and the merchant's stores."""

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

from pipeline.context import Context
from receiver.pages import filters, people
from receiver.pages.accounts import accept_invitation, tokens, views
from receiver.pages.activity import asked, event, samples, saved_views, unreadable
from receiver.pages.activity import views as activity
from receiver.pages.addresses import add_address_rules
from receiver.pages.attention import views as attention
from receiver.pages.auth import demo_visitor
from receiver.pages.auth.login import PrefilledLoginForm, SerialPasswordContext
from receiver.pages.auth.mail import LedgerMailUtil, notify_old_address
from receiver.pages.auth.mail_links import add_confirmation_pages
from receiver.pages.auth.second_factor import OneTimeCodes, RecoveryCodeForm, SetupForm, improve_setup
from receiver.pages.auth.server_logins import add_server_logins
from receiver.pages.auth.users import SessionUserDatastore, WebUser
from receiver.pages.auth.wording import add_wording
from receiver.pages.config import build_config
from receiver.pages.connect import views as connect
from receiver.pages.db_session import add_session_teardown
from receiver.pages.errors import add_error_pages
from receiver.pages.flow import views as flow
from receiver.pages.headers import add_headers
from receiver.pages.navigation import add_navigation
from receiver.pages.rate_limit import add_form_rate_limit
from receiver.pages.replays import views as replays
from receiver.pages.search import views as search
from receiver.pages.stores import (
    alarms,
    backfills,
    connections,
    events_sent,
    keys,
    mapping,
    own_test_event,
    rehearsals,
    removal,
    resume,
    settings,
)
from receiver.pages.stores import views as home
from receiver.pages.warehouse import batches, box, files, imports, tracking
from receiver.pages.warehouse import connect as warehouse_connect
from receiver.pages.warehouse import settings as warehouse_settings
from receiver.pages.warehouse import views as warehouse


def create_pages(context: Context) -> Flask:
    """Build the pages of this installation."""
    app = Flask("receiver.pages", static_url_path="/static")
    app.config.update(build_config(context.settings))
    app.extensions["cratewire.site"] = context
    add_session_teardown(app)
    add_form_rate_limit(app, context.now)
    imports.allow_uploads(app)
    add_address_rules(app)
    CSRFProtect(app)  # before Security, which requires it
    security = Security(
        app,
        SessionUserDatastore(),
        login_form=PrefilledLoginForm,
        mail_util_cls=LedgerMailUtil,
        totp_cls=OneTimeCodes,
        two_factor_rescue_form=RecoveryCodeForm,
        two_factor_setup_form=SetupForm,
    )
    security.pwd_context = SerialPasswordContext()
    password_reset.connect(_reset_all_failures, app)
    user_authenticated.connect(_reset_network_failures, app)
    add_server_logins(app)
    add_confirmation_pages(app)
    improve_setup(app)
    change_email_confirmed.connect(notify_old_address, app)
    reset_password_instructions_sent.connect(_equalize_timing, app)
    for part in (
        home,
        activity,
        event,
        unreadable,
        asked,
        samples,
        saved_views,
        replays,
        attention,
        flow,
        search,
        backfills,
        resume,
        people,
        settings,
        keys,
        events_sent,
        alarms,
        connections,
        mapping,
        rehearsals,
        removal,
        own_test_event,
        warehouse,
        warehouse_connect,
        warehouse_settings,
        box,
        tracking,
        batches,
        files,
        imports,
        views,
        tokens,
        accept_invitation,
        demo_visitor,
    ):
        app.register_blueprint(part.blueprint)
    connect.register_pages(app)
    add_wording(app)
    filters.add_filters(app)
    warehouse.add_words(app)
    add_navigation(app)
    app.context_processor(lambda: {"mails_at": _find_mail_place(context)})
    add_error_pages(app)
    add_headers(app, https=context.settings.public_url.startswith("https://"))
    return app


def _find_mail_place(context: Context) -> str | None:
    """Return the path of the mails if there is no mail server; "" if visitors other than the operator may see it."""
    if context.settings.smtp_url is not None:
        return None
    return str(context.settings.data_dir / "mail") if context.settings.connect_anywhere else ""


def _reset_network_failures(_app: Flask, user: WebUser, **_: object) -> None:
    """Reset the failed log-ins of the network after a log-in."""
    user.reset_failures(everywhere=False)


def _reset_all_failures(_app: Flask, user: WebUser, **_: object) -> None:
    """Reset all failed log-ins after a password reset."""
    user.reset_failures(everywhere=True)


def _equalize_timing(_app: Flask, **_: object) -> None:
    """Hash something, as Flask-Security does for unknown addresses: the time must not reveal accounts."""
    hash_password("no password")

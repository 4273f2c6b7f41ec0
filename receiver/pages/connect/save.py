"""Saves a connect form after its keys were checked: store, keys, user, account and mail, all or nothing."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from flask import render_template
from flask_security.confirmable import generate_confirmation_link
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import KeysInUse, Misconfigured
from pipeline.core.roles import OWNER
from pipeline.cratejoy.credentials import Credentials
from pipeline.destinations.base import CheckResult
from pipeline.ledger.accounts import (
    NewUser,
    add_member,
    add_user,
    create_account,
    get_account_name,
    is_current_uniquifier,
)
from pipeline.ledger.audit import Actor
from pipeline.ledger.engine import reading, writing
from pipeline.mail.outbox import MailRequest, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from pipeline.operations.connect import ConnectRequest, save_checked_connection
from receiver.pages.auth.keys import derive_keys
from receiver.pages.auth.mail import get_requester
from receiver.pages.auth.users import WebUser
from receiver.pages.connect.credential_check import FormRejected, format_error
from receiver.pages.connect.form import ConnectForm
from receiver.pages.connect.origins import build_answer
from receiver.pages.connect.prefill import find_label_to_change


@dataclass(frozen=True, slots=True)
class Merchant:
    """The merchant who connects: a logged-in user, or a new one with address and password."""

    user_id: int | None = None
    account_id: int | None = None  # an account that they own; None creates one
    email: str = ""
    password_hash: str = field(default="", repr=False)
    uniquifier: str = field(default="", repr=False)  # the same if the same form is sent again


def save_form(
    context: Context, form: ConnectForm, merchant: Merchant, credentials: Credentials, checked: CheckResult
) -> None:
    """Save all in one transaction. What follows from its rows, such as registering hooks, is retried until it works.

    Raises FormRejected if the store's name, its keys or the address are already in use.
    """
    now = context.now()
    with writing(context.engine) as conn:
        user_id = merchant.user_id or _add_user(conn, context, merchant, now)
        account_id = merchant.account_id or create_account(conn, now)
        store_settings = {"currency": form.currency.data}
        request = ConnectRequest(
            form.store.data,
            form.platform.data,
            checked.config,
            find_label_to_change(conn, form.store.data, form.platform.data),
            store_settings=store_settings,
            cratejoy=credentials,
            account=get_account_name(conn, account_id),
            reads_customers="reads_customers" not in form or form.reads_customers.data == "now",
            actor=Actor("page", user_id),
            origins=build_answer(form.questions, str(user_id)) if form.questions else None,
        )
        try:
            save_checked_connection(
                conn, context.settings.secret_keys, context.settings.public_url, request, checked, now
            )
        except KeysInUse as error:
            raise FormRejected("client_id", format_error(error)) from error
        except Misconfigured as error:
            raise FormRejected("store", "This name is taken. Please choose another one.") from error
        if merchant.account_id is None:
            add_member(conn, account_id, user_id, OWNER, now)


def build_uniquifier(context: Context, form: ConnectForm, email: str) -> str:
    """Return the uniquifier of the new user of exactly this form. It cannot be guessed."""
    identity = "\n".join((form.attempt.data or "", form.store.data, email))
    return hmac.new(
        derive_keys(context.settings.secret_keys, "attempts")[0].encode(), identity.encode(), hashlib.sha256
    ).hexdigest()


def is_already_saved(context: Context, merchant: Merchant) -> bool:
    """Return whether this form was saved already, because it was sent twice."""
    with reading(context.engine) as conn:
        return is_current_uniquifier(conn, merchant.uniquifier)


def _add_user(conn: Connection, context: Context, merchant: Merchant, now: int) -> int:
    """Add the user and enqueue the mail with the confirmation link. Raises FormRejected."""
    user_id = add_user(conn, NewUser(merchant.email, merchant.password_hash, merchant.uniquifier), now)
    if user_id is None:
        raise FormRejected("email", "This address already has an account. Log in first, then connect the store.")
    link, _ = generate_confirmation_link(  # type: ignore[no-untyped-call]
        WebUser(email=merchant.email, fs_uniquifier=merchant.uniquifier)
    )
    text = render_template("security/email/welcome.txt", confirmation_link=link)
    mail = MailMessage(merchant.email, "Please confirm your address", text)
    if not enqueue_mail_if_allowed(
        conn, context.settings.secret_keys, mail, MailRequest("registration", get_requester()), now
    ):
        raise FormRejected(
            "email", "Too many mails were sent to this address within the last hour. Please try again in an hour."
        )
    return user_id

"""Saves what a connect form said, once all in it was tried: store, keys, account and letter, or nothing of it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from flask import render_template
from flask_security.confirmable import generate_confirmation_link
from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.errors import KeysInUse, Misconfigured
from pipeline.cratejoy.credentials import Credentials
from pipeline.destinations.base import CheckResult
from pipeline.ledger.accounts import (
    OWNER,
    NewUser,
    add_member,
    add_user,
    create_account,
    get_account_name,
    is_current_uniquifier,
)
from pipeline.ledger.engine import reading, writing
from pipeline.mail.outbox import MailRequest, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from pipeline.operations.connect import ConnectRequest, save_checked_connection
from receiver.pages.auth.keys import derive_keys
from receiver.pages.auth.mail import get_requester
from receiver.pages.auth.users import WebUser
from receiver.pages.connect.credential_check import FormRejected, format_error
from receiver.pages.connect.form import ConnectForm
from receiver.pages.connect.prefill import find_label_to_change


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who connects: somebody who is logged in, or somebody new with an address and a password."""

    user_id: int | None = None
    account_id: int | None = None  # one they own; None: they get one
    email: str = ""
    password_hash: str = field(default="", repr=False)
    uniquifier: str = field(default="", repr=False)  # the same for the same form sent again


def save_form(
    site: Context, form: ConnectForm, merchant: Merchant, credentials: Credentials, checked: CheckResult
) -> None:
    """One transaction. What has to be done elsewhere follows from its rows, and is tried until it works.

    Raises Refused if the store's name, its keys or the address belongs to somebody else.
    """
    now = site.now()
    with writing(site.engine) as db:
        user_id = merchant.user_id or _add_user(db, site, merchant, now)
        account_id = merchant.account_id or create_account(db, now)
        chosen = {"currency": form.currency.data}
        wanted = ConnectRequest(
            form.store.data,
            form.platform.data,
            checked.config,
            find_label_to_change(db, form.store.data, form.platform.data),
            store_settings=chosen,
            cratejoy=credentials,
            account=get_account_name(db, account_id),
        )
        try:
            save_checked_connection(db, site.settings.secret_keys, site.settings.public_url, wanted, checked, now)
        except KeysInUse as error:
            raise FormRejected("client_id", format_error(error)) from error
        except Misconfigured as error:
            raise FormRejected("store", "This name is taken. Please choose another one.") from error
        if merchant.account_id is None:
            add_member(db, account_id, user_id, OWNER, now)


def build_uniquifier(site: Context, form: ConnectForm, email: str) -> str:
    """What the new user of this form, and of no other, is known by. Nobody else can guess it."""
    said = "\n".join((form.attempt.data or "", form.store.data, email))
    return hmac.new(
        derive_keys(site.settings.secret_keys, "attempts")[0].encode(), said.encode(), hashlib.sha256
    ).hexdigest()


def is_already_saved(site: Context, merchant: Merchant) -> bool:
    """Whether this very form was saved already: a button pressed twice, a page loaded anew."""
    with reading(site.engine) as db:
        return is_current_uniquifier(db, merchant.uniquifier)


def _add_user(db: Connection, site: Context, merchant: Merchant, now: int) -> int:
    """Somebody who can log in once they have followed the link of the letter written here."""
    user_id = add_user(db, NewUser(merchant.email, merchant.password_hash, merchant.uniquifier), now)
    if user_id is None:
        raise FormRejected("email", "This address has an account here. Log in first, then connect the store.")
    link, _ = generate_confirmation_link(  # type: ignore[no-untyped-call]
        WebUser(email=merchant.email, fs_uniquifier=merchant.uniquifier)
    )
    text = render_template("security/email/welcome.txt", confirmation_link=link)
    letter = MailMessage(merchant.email, "Please confirm your address", text)
    if not enqueue_mail_if_allowed(
        db, site.settings.secret_keys, letter, MailRequest("registration", get_requester()), now
    ):
        raise FormRejected(
            "email", "This address has had too many mails within the last hour. Please try again in an hour."
        )
    return user_id

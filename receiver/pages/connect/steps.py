"""Checks one step of the connect form when it is left, so that an error shows up before the next step is filled in."""

from __future__ import annotations

from flask import current_app
from redis import RedisError

from pipeline.cratejoy.factory import open_client
from pipeline.destinations import DESTINATIONS
from pipeline.operations.read_shop import read_shop
from receiver.pages.connect.credential_check import (
    WHOLE_FORM,
    FormRejected,
    check_cratejoy,
    check_platform,
    count_try,
)
from receiver.pages.connect.form import ConnectForm
from receiver.pages.db_session import get_context

UNAVAILABLE = "A part of this installation does not answer at the moment. Please try again."


def check_step(form: ConnectForm, step: str) -> None:
    """Validate the fields of this step alone, and try its keys. Errors are at their fields; else `checked` says so."""
    fields = form.step_fields(step)  # none of the account if the user has one
    if not fields or not all([field.validate(form) for field in fields]):  # noqa: C419 - each shows its own error
        return
    try:
        says = _CHECKS[step](form)
    except FormRejected as error:
        if error.field == WHOLE_FORM:  # no field is to blame: Cratejoy does not answer, or there were too many tries
            form.failed = {step: str(error)}
        else:
            form.add_error(error.field, str(error))
    except RedisError:
        form.failed = {step: UNAVAILABLE}
    else:
        form.checked = {step: says}


def _check_shop(form: ConnectForm) -> str:
    return f"Its hooks will come in under the name {form.store.data}."


def _check_cratejoy(form: ConnectForm) -> str:
    """Try the keys, and say which shop they lead to."""
    count_try(f"Client ID {form.client_id.data}")
    context = get_context()
    credentials = check_cratejoy(form, lambda keys: open_client(context, keys))
    facts = read_shop(open_client(context, credentials, urgent=True))
    form.customers.data = "" if facts.customers is None else str(facts.customers)
    return f"Cratejoy takes these keys. {facts.says}".strip()


def _check_platform(form: ConnectForm) -> str:
    """Try the keys; the check finds the region."""
    named = next(field for field in DESTINATIONS[form.platform.data].fields if not field.secret)
    count_try(f"{form.platform.data} {form.config()[named.key]}")
    found = check_platform(form, get_context().http)
    region = str(found.facts.get("region") or "").upper()
    title = DESTINATIONS[form.platform.data].title
    return f"{title} takes these keys. This is workspace {found.account}{f' in the {region}' if region else ''}."


def check_account(form: ConnectForm) -> tuple[str, str]:
    """Return the address and the password of a new account as they are saved. Raises FormRejected."""
    security = current_app.extensions["security"]
    try:
        email = security.mail_util.validate(form.email.data)
    except ValueError:
        raise FormRejected("email", "That is not a mail address.") from None
    faults, password = security.password_util.validate(form.password.data, is_register=True, email=email)
    if faults:
        raise FormRejected("password", " ".join(faults))
    return email, password


def _check_account(form: ConnectForm) -> str:
    """Whether the address has an account is not said here."""
    email, _ = check_account(form)
    return f"We send a mail to {email}, with a link that confirms the address."


_CHECKS = {"shop": _check_shop, "cratejoy": _check_cratejoy, "platform": _check_platform, "account": _check_account}

"""Where a store's alarms go, and a test alarm that takes the same way."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from pipeline.ledger.accounts import list_owner_emails
from pipeline.ledger.audit import record_store_action
from pipeline.ledger.engine import writing
from pipeline.mail.outbox import MailRequest, enqueue_mail_if_allowed
from pipeline.monitoring.trial_alarm import build_trial_mail, send_trial_notice
from receiver.pages.auth.permissions import get_actor, get_my_id, get_my_store, requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("store_alarms", __name__)

TOO_MANY = "Nothing was sent: too many test alarms within the last hour. Please try again later."


@blueprint.post("/stores/<name>/settings/alarms/test")
@requires("replay")
def send_test(name: str) -> ResponseReturnValue:
    """Mail the owners, and send the notice of the installation if it has an address for it."""
    context, store = get_context(), get_my_store(name)
    request = MailRequest("test alarm", f"user {get_my_id()}")
    with writing(context.engine) as conn:
        owners = list_owner_emails(conn, store.account_id)
        mails = [build_trial_mail(owner, context.settings.public_url) for owner in owners]
        keys, now = context.settings.secret_keys, context.now()
        sent = [mail.recipient for mail in mails if enqueue_mail_if_allowed(conn, keys, mail, request, now)]
        if sent or not owners:
            record_store_action(conn, store.store_id, get_actor(), "test_alarm.sent", now, {"mails": len(sent)})
    if owners and not sent:
        flash(TOO_MANY, "error")
        return redirect(url_for("store_settings.show", name=name, _anchor="alarms"))
    if sent:
        flash(f"A test alarm is on its way to {', '.join(sent)}.", "success")
    notice = send_trial_notice(context)
    if notice is not None:
        taken = "took the test notice" if notice["taken"] else "did not take the test notice"
        flash(f"The notice address of this installation {taken}.", "success" if notice["taken"] else "error")
    return redirect(url_for("store_settings.show", name=name, _anchor="alarms"))

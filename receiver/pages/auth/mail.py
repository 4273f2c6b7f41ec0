"""Writes Flask-Security's mails to the outbox in the ledger, in the transaction of the change; a task sends them."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_security import MailUtil, current_user

from pipeline.mail.outbox import MailRequest, enqueue_mail, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from receiver.pages.db_session import get_context, get_session
from receiver.pages.rate_limit import get_client_network

_ADDRESS_CHANGED_TEXT = """The mail address of your Cratewire account has been changed by a
logged-in user, who confirmed the new address. You can no longer log in with this one.

If it was not you, ask another owner of the account, or the operator of this Cratewire, to remove the new address.
"""


# Flask-Security's templates that visitors can request -> the name they are counted under. All others report a change
# of an account, and are always sent.
LIMITED_MAILS = {
    "welcome": "registration",
    "welcome_existing": "registration",
    "confirmation_instructions": "confirmation",
    "reset_instructions": "reset",
    "change_email_instructions": "new address",
}


class LedgerMailUtil(MailUtil):
    """Saves addresses in lower case, so that one address cannot have two accounts."""

    def normalize(self, email: str) -> str:
        return str(super().normalize(email)).lower()

    def validate(self, email: str) -> str:
        return str(super().validate(email)).lower()

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: Any,
        sender: Any,  # noqa: ARG002 - the signature is Flask-Security's
        body: str | None,
        html: str | None,  # noqa: ARG002 - as above
        **_: Any,
    ) -> None:
        """Enqueue the mail and commit it together with the pending change of the session."""
        context, session = get_context(), get_session()
        mail = MailMessage(str(recipient), str(subject), _collapse_empty_lines(body or ""))
        cause = LIMITED_MAILS.get(template.rpartition("/")[2])
        if cause is None:
            enqueue_mail(session.write_connection(), context.settings.secret_keys, mail, context.now())
        else:
            request = MailRequest(cause, get_requester())
            enqueue_mail_if_allowed(
                session.write_connection(), context.settings.secret_keys, mail, request, context.now()
            )
        session.commit()


def get_requester() -> str | None:
    """Return who requests a mail: the logged-in user, or else the network."""
    return f"user {current_user.id}" if current_user.is_authenticated else get_client_network()


def notify_old_address(_app: Flask, old_email: str, **_: object) -> None:
    """Notify the old address of a change, which might have been made at an unattended screen."""
    context, session = get_context(), get_session()
    enqueue_mail(
        session.write_connection(),
        context.settings.secret_keys,
        MailMessage(old_email, "Your address was changed", _ADDRESS_CHANGED_TEXT),
        context.now(),
    )
    session.commit()


def _collapse_empty_lines(text: str) -> str:
    """Collapse the empty lines that template tags leave."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    lines_kept = [line for line, before in zip(lines, ["x", *lines], strict=False) if line or before]
    return "\n".join(lines_kept) + "\n"

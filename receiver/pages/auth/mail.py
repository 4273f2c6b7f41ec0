"""Flask-Security's mails as letters of ours: written into the ledger with what they are about, sent by a task."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_security import MailUtil, current_user

from pipeline.mail.outbox import MailRequest, enqueue_mail, enqueue_mail_if_allowed
from pipeline.mail.transport import MailMessage
from receiver.pages.db_session import get_context, get_session
from receiver.pages.rate_limit import get_client_network

_ADDRESS_CHANGED_TEXT = """Your Cratewire account has another mail address from now on: it was changed by a
person who was logged in, who then confirmed the new address. This one no longer logs in.

If it was not you, ask another owner of the account, or whoever runs this Cratewire, to remove the new address.
"""


# Flask-Security's templates that a visitor can have sent -> what they are counted under. All others are about what has
# happened to an account, and always leave.
LIMITED_MAILS = {
    "welcome": "registration",
    "welcome_existing": "registration",
    "confirmation_instructions": "confirmation",
    "reset_instructions": "reset",
    "change_email_instructions": "new address",
}


class LedgerMailUtil(MailUtil):
    """Addresses are kept in lower case, so that nobody gets two accounts by a capital letter."""

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
        """The new user, or whatever the letter is about, is committed together with it."""
        site, mine = get_context(), get_session()
        letter = MailMessage(str(recipient), str(subject), _collapse_empty_lines(body or ""))
        cause = LIMITED_MAILS.get(template.rpartition("/")[2])
        if cause is None:
            enqueue_mail(mine.write_connection(), site.settings.secret_keys, letter, site.now())
        else:
            asked = MailRequest(cause, get_requester())
            enqueue_mail_if_allowed(mine.write_connection(), site.settings.secret_keys, letter, asked, site.now())
        mine.commit()


def get_requester() -> str | None:
    """Who asks for a letter: the user who is logged in, or else the network."""
    return f"user {current_user.id}" if current_user.is_authenticated else get_client_network()


def notify_old_address(_app: Flask, old_email: str, **_: object) -> None:
    """Whoever is at a forgotten screen may change an address; its owner must hear of it."""
    site, mine = get_context(), get_session()
    enqueue_mail(
        mine.write_connection(),
        site.settings.secret_keys,
        MailMessage(old_email, "Your address was changed", _ADDRESS_CHANGED_TEXT),
        site.now(),
    )
    mine.commit()


def _collapse_empty_lines(text: str) -> str:
    """Templates leave empty lines where they decided something."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for line, before in zip(lines, ["x", *lines], strict=False) if line or before]
    return "\n".join(kept) + "\n"

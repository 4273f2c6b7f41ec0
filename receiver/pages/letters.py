"""Flask-Security's mails as letters of ours: written into the ledger with what they are about, sent by a task."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_security import MailUtil

from pipeline.mail import Letter
from pipeline.mailing import write
from receiver.pages.sessions import here, session

_CHANGED = """Your Cratewire account has another mail address from now on: somebody who was logged in asked for it, and
confirmed the new address. This one no longer logs in.

If it was not you, ask another owner of the account, or whoever runs this Cratewire, to remove the new address.
"""


class Letters(MailUtil):
    """Addresses are kept in lower case, so that nobody gets two accounts by a capital letter."""

    def normalize(self, email: str) -> str:
        return str(super().normalize(email)).lower()

    def validate(self, email: str) -> str:
        return str(super().validate(email)).lower()

    def send_mail(
        self,
        template: str,  # noqa: ARG002 - the signature is Flask-Security's
        subject: str,
        recipient: Any,
        sender: Any,  # noqa: ARG002 - as above
        body: str | None,
        html: str | None,  # noqa: ARG002 - as above
        **_: Any,
    ) -> None:
        """The new user, or whatever the letter is about, is committed together with it."""
        site, mine = here(), session()
        letter = Letter(str(recipient), str(subject), _tidy(body or ""))
        write(mine.writing(), site.settings.secret_keys, letter, site.now())
        mine.commit()


def tell_the_old_address(_app: Flask, old_email: str, **_: object) -> None:
    """Whoever is at a forgotten screen may change an address; its owner must hear of it."""
    site, mine = here(), session()
    write(
        mine.writing(), site.settings.secret_keys, Letter(old_email, "Your address was changed", _CHANGED), site.now()
    )
    mine.commit()


def _tidy(text: str) -> str:
    """Templates leave empty lines where they decided something."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for line, before in zip(lines, ["x", *lines], strict=False) if line or before]
    return "\n".join(kept) + "\n"

"""Flask-Security's mails as letters of ours: written into the ledger with what they are about, sent by a task."""

from __future__ import annotations

from typing import Any

from flask_security import MailUtil

from pipeline.mail import Letter
from pipeline.mailing import write
from receiver.pages.sessions import here, session


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


def _tidy(text: str) -> str:
    """Templates leave empty lines where they decided something."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for line, before in zip(lines, ["x", *lines], strict=False) if line or before]
    return "\n".join(kept) + "\n"

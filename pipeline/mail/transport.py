"""Sends a mail through an SMTP server, or puts it into a maildir where there is none."""

from __future__ import annotations

import mailbox
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from pipeline.core.errors import Misconfigured, RequestRefused, Unreachable

SMTP_TIMEOUT_S = 15.0
MAILDIR_NAME = "mail"  # in the data directory
_US_PER_SECOND = 1_000_000
_PORTS = {"smtp": 587, "smtps": 465}
_MIN_PERMANENT_CODE = 500  # SMTP codes from here on are permanent failures


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A mail with its recipient. `subject` and `text` may hold a link that logs a user in."""

    recipient: str = field(repr=False)
    subject: str
    text: str = field(repr=False)

    @property
    def links(self) -> list[str]:
        """The URLs in the text: each has a line of its own."""
        return [line for line in map(str.strip, self.text.splitlines()) if line.startswith(("http://", "https://"))]


class MailTransport(Protocol):
    """Sends mails."""

    def send(self, mail: MailMessage) -> None:
        """Send a mail. Raise Unreachable if another attempt may succeed, RequestRefused if not."""


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder that any mail program can read, for an installation without an SMTP server."""

    folder: Path
    sender: str

    def send(self, mail: MailMessage) -> None:
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mailbox.Maildir(self.folder, create=True).add(build_email(mail, self.sender))
        except OSError as error:
            raise Unreachable(f"the maildir cannot be written: {error.strerror}") from error


def delete_old_letters(folder: Path, before: int) -> int:
    """Delete the letters of a maildir that were written before this time (µs); returns how many.

    They hold addresses, and links that log users in. A mail program may have moved them from `new` to `cur`.
    """
    deleted = 0
    for letter in (path for part in ("new", "cur", "tmp") for path in folder.glob(f"{part}/*")):
        try:
            if letter.stat().st_mtime * _US_PER_SECOND < before:
                letter.unlink()
                deleted += 1
        except FileNotFoundError:  # moved or deleted by a mail program
            continue
    return deleted


@dataclass(frozen=True, slots=True)
class SMTP:
    """An SMTP server: `smtp://` switches to TLS where the server offers it, `smtps://` starts with TLS."""

    url: str = field(repr=False)
    sender: str
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def send(self, mail: MailMessage) -> None:
        try:
            with self._open_session() as server:
                server.send_message(build_email(mail, self.sender), to_addrs=[mail.recipient])
        except (smtplib.SMTPException, OSError) as error:
            raise _classify_error(error) from None  # the error's text quotes the recipient

    def _open_session(self) -> smtplib.SMTP:
        url = urlsplit(self.url)
        host, port = url.hostname or "localhost", url.port or _PORTS[url.scheme]
        if url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SMTP_TIMEOUT_S, context=self.tls())
        else:
            server = smtplib.SMTP(host, port, timeout=SMTP_TIMEOUT_S)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=self.tls())
            elif url.username:
                server.close()
                raise Misconfigured("SMTP_URL: the server offers no TLS, and a password must not travel without")
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        return server


def open_mail_transport(smtp_url: str | None, sender: str, data_dir: Path) -> MailTransport:
    """The SMTP server of the settings; without one, the maildir of the data directory."""
    return SMTP(smtp_url, sender) if smtp_url else Maildir(data_dir / MAILDIR_NAME, sender)


def build_email(mail: MailMessage, sender: str) -> EmailMessage:
    """The MIME message. Plain text only: a link that logs a user in needs no images."""
    message = EmailMessage()
    name, address = parseaddr(sender)
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = mail.subject
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # prevents automatic replies (RFC 3834)
    message.set_content(mail.text)
    return message


def _classify_error(error: Exception) -> Unreachable | RequestRefused:
    """Classify by the server's reply code, where there is one. A refused login may be fixed, so it is retried."""
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    kind = type(error).__name__
    may_be_final = isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError)
    if may_be_final and isinstance(code, int) and code >= _MIN_PERMANENT_CODE:
        return RequestRefused(f"the mail server refused it ({kind} {code})", code)
    return Unreachable(f"the mail server did not take it ({kind}{f' {code}' if code else ''})")

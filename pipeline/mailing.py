"""Writes letters into the ledger with what they are about, and sends what waits there: late, if need be, but surely."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine

from pipeline.errors import Misconfigured, RequestRefused, Unreachable
from pipeline.ledger import mails
from pipeline.ledger.engine import reading, writing
from pipeline.mail import Letter, Maildir, Post
from pipeline.secrets import seal, unseal

log = structlog.get_logger(__name__)

# Letters that a visitor can ask for, in an hour. The limit of a cause leaves room for several askers; beyond it the
# links of the letters already written are still good.
MOST_FOR_ONE_ASKER = 5  # to one recipient, for one cause
MOST_FOR_ONE_CAUSE = 20  # to one recipient, whoever asks
MOST_TO_ALL = 60  # for one asker, to all recipients
MOST_ATTEMPTS = 24
_HOUR_US = 3_600_000_000
_FIRST_WAIT_US = 15_000_000


@dataclass(frozen=True, slots=True)
class Mailing:
    """What sending needs."""

    engine: Engine
    secret_keys: Sequence[str]
    post: Post
    now: Callable[[], int]  # µs


@dataclass(frozen=True, slots=True)
class Asked:
    """Why a letter is written at a visitor's wish. `asker`: a network or a user; None: unknown."""

    cause: str
    asker: str | None = None


def write(db: Connection, secret_keys: Sequence[str], letter: Letter, now: int) -> None:
    """Have a letter sent once this transaction is committed. Never refused: alarms, and what concerns security."""
    mails.write_mail(db, letter.recipient.lower(), _sealed(secret_keys, letter), now)


def write_if_allowed(db: Connection, secret_keys: Sequence[str], letter: Letter, asked: Asked, now: int) -> bool:
    """The same for a letter that visitors can ask for; False if this hour has had too many, and nothing was written.

    What is counted for one cause, or one asker, takes nothing from another.
    """
    recipient = letter.recipient.lower()
    asker = asked.asker and _tag(secret_keys, asked.asker)
    counted = mails.mails_since(db, recipient, asked.cause, asker, now - _HOUR_US)
    if (
        counted.to_recipient_for_asker >= MOST_FOR_ONE_ASKER
        or counted.to_recipient >= MOST_FOR_ONE_CAUSE
        or counted.for_asker >= MOST_TO_ALL
    ):
        log.warning("a mail was not written: too many were asked for in the last hour", cause=asked.cause)
        return False
    mails.write_mail(db, recipient, _sealed(secret_keys, letter), now, asked.cause, asker)
    return True


def send_waiting(here: Mailing) -> int:
    """Send what may leave now; how many left."""
    with reading(here.engine) as db:
        waiting = mails.waiting_mails(db, here.now())
    return sum(_send(here, mail_id) for mail_id in waiting)


def tidy(here: Mailing) -> None:
    """Forget what left long ago."""
    with writing(here.engine) as db:
        mails.forget_mails(db, here.now())


def _send(here: Mailing, mail_id: int) -> bool:
    with writing(here.engine) as db:
        mail = mails.claim_mail(db, mail_id, here.now())
    if mail is None:
        return False
    try:
        letter = Letter(mail.recipient, **unseal(here.secret_keys, mail.content))
        here.post.send(letter)
    except RequestRefused as error:
        return _give_up(here, mail, str(error))
    except (Unreachable, Misconfigured) as error:
        return _put_off(here, mail, str(error))
    with writing(here.engine) as db:
        mails.mail_left(db, mail.id, here.now())
    _tell(here.post, letter, mail.id)
    return True


def _sealed(secret_keys: Sequence[str], letter: Letter) -> bytes:
    return seal(secret_keys, {"subject": letter.subject, "text": letter.text})


def _tag(secret_keys: Sequence[str], asker: str) -> str:
    """Tells askers apart without keeping where anyone was."""
    return hmac.new(secret_keys[0].encode(), f"cratewire mail asker: {asker}".encode(), hashlib.sha256).hexdigest()[:16]


def _tell(post: Post, letter: Letter, mail_id: int) -> None:
    """Without a mail server the mail is read here. A link ends a line of its own, so that it can be copied."""
    if not isinstance(post, Maildir):
        return
    log.info("a mail is in the maildir", mail=mail_id, subject=letter.subject, folder=str(post.folder))
    for link in letter.links:
        log.info("it leads to: %s", link)


def _give_up(here: Mailing, mail: mails.Claimed, reason: str) -> bool:
    with writing(here.engine) as db:
        mails.mail_given_up(db, mail.id, reason, here.now())
    log.warning("a mail was given up", mail=mail.id, reason=reason)
    return False


def _put_off(here: Mailing, mail: mails.Claimed, reason: str) -> bool:
    if mail.attempts >= MOST_ATTEMPTS:
        return _give_up(here, mail, reason)
    wait = min(_HOUR_US, _FIRST_WAIT_US * 2 ** min(mail.attempts - 1, 10))
    with writing(here.engine) as db:
        mails.mail_waits(db, mail.id, reason, here.now() + wait)
    log.warning("a mail has to wait", mail=mail.id, reason=reason)
    return False

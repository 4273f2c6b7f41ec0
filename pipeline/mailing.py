"""Writes letters into the ledger with what they are about, and sends what waits there: late, if need be, but surely."""

from __future__ import annotations

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

MOST_AN_HOUR = 10  # to one address: whoever asks for more of them wants to annoy
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


def write(db: Connection, secret_keys: Sequence[str], letter: Letter, now: int) -> bool:
    """Have a letter sent once this transaction is committed; False if its recipient has had enough for this hour."""
    recipient = letter.recipient.lower()
    if mails.mails_since(db, recipient, now - _HOUR_US) >= MOST_AN_HOUR:
        log.warning("a mail was not written: its recipient has had too many in the last hour")
        return False
    mails.write_mail(db, recipient, seal(secret_keys, {"subject": letter.subject, "text": letter.text}), now)
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


def _tell(post: Post, letter: Letter, mail_id: int) -> None:
    """Without a mail server, whoever runs this is the reader: the link is shown."""
    if isinstance(post, Maildir):
        log.info("a mail is in the maildir", mail=mail_id, subject=letter.subject, link=" ".join(letter.links))


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

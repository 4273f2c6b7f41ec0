"""Letters wait in the ledger until they have left."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import structlog
from sqlalchemy import select

from pipeline.core.errors import RequestRefused, Unreachable
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.outbox import MAX_ATTEMPTS
from pipeline.ledger.schema.accounts import Mail
from pipeline.mail.outbox import (
    MAX_PER_HOUR_ASKER,
    MAX_PER_HOUR_ASKER_AND_RECIPIENT,
    MAX_PER_HOUR_RECIPIENT,
    MailRequest,
    delete_old_mails,
    enqueue_mail,
    enqueue_mail_if_allowed,
    send_due_mails,
)
from pipeline.mail.transport import Maildir, MailMessage
from tests.builders import NOW
from tests.contexts import make_context

KEYS = ["a-key-that-only-tests-know"]
LETTER = MailMessage("bea@example.com", "Hello", "Follow:\n\nhttps://example.com/confirm/x\n")
DAY = 86_400_000_000


@dataclass
class Post:
    fault: Exception | None = None
    sent: list[MailMessage] = field(default_factory=list)

    def send(self, letter: MailMessage) -> None:
        if self.fault:
            raise self.fault
        self.sent.append(letter)


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def context(engine, clock):
    return make_context(engine, now=lambda: clock[0], secret_keys=KEYS)


def written(engine, letter=LETTER, at=NOW):
    with writing(engine) as db:
        enqueue_mail(db, KEYS, letter, at)


def asked_for(engine, cause="reset", asker="11.0.0.1/32", recipient="bea@example.com", at=NOW):
    with writing(engine) as db:
        return enqueue_mail_if_allowed(db, KEYS, MailMessage(recipient, "Hello", ""), MailRequest(cause, asker), at)


def mails(engine):
    with reading(engine) as db:
        return db.execute(select(Mail.__table__).order_by(Mail.id)).all()


def test_a_letter_leaves_once(engine, post, context):
    written(engine)

    send_due_mails(context, post)
    send_due_mails(context, post)

    assert post.sent == [LETTER]


def test_a_letter_of_a_transaction_that_failed_never_leaves(engine, post, context):
    with engine.connect() as db, db.begin() as transaction:
        enqueue_mail(db, KEYS, LETTER, NOW)
        transaction.rollback()

    send_due_mails(context, post)

    assert post.sent == []


def test_what_a_letter_says_is_encrypted_while_it_waits_and_gone_after(engine, context, post):
    written(engine)
    waiting = mails(engine)[0].content

    send_due_mails(context, post)

    assert b"confirm" not in waiting
    assert mails(engine)[0].content is None


def test_a_letter_that_was_not_taken_is_tried_again_later(engine, post, clock, context):
    written(engine)
    post.fault = Unreachable("away")
    send_due_mails(context, post)
    post.fault = None

    send_due_mails(context, post)
    too_soon = list(post.sent)
    clock[0] += 3_600_000_000
    send_due_mails(context, post)

    assert (too_soon, post.sent) == ([], [LETTER])


@pytest.mark.parametrize("fault", [RequestRefused("no", 550), Unreachable("away")])
def test_a_letter_nobody_takes_is_given_up_with_its_reason(engine, post, clock, fault, context):
    written(engine)
    post.fault = fault
    for _ in range(MAX_ATTEMPTS):
        send_due_mails(context, post)
        clock[0] += 3_600_000_000

    [mail] = mails(engine)
    assert (mail.done_at is not None, mail.reason, mail.content) == (True, str(fault), None)


def test_whoever_ends_while_sending_leaves_the_letter_to_others(engine, post, clock, context):
    written(engine)
    post.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        send_due_mails(context, post)
    post.fault = None

    clock[0] += 3_600_000_000
    send_due_mails(context, post)

    assert post.sent == [LETTER]


HOUR = 3_600_000_000


@pytest.mark.parametrize("asker", ["11.0.0.1/32", None])
def test_one_asker_gets_so_many_letters_for_a_cause_in_an_hour_and_no_more(engine, asker):
    took = [asked_for(engine, asker=asker) for _ in range(MAX_PER_HOUR_ASKER_AND_RECIPIENT + 1)]

    assert took == [True] * MAX_PER_HOUR_ASKER_AND_RECIPIENT + [False]
    assert asked_for(engine, asker=asker, at=NOW + HOUR + 1)


@pytest.mark.parametrize(
    "other", [{"asker": "11.0.0.2/32"}, {"asker": None}, {"cause": "confirmation"}, {"recipient": "robin@example.com"}]
)
def test_what_one_asker_has_used_up_takes_nothing_from_others(engine, other):
    for _ in range(MAX_PER_HOUR_ASKER_AND_RECIPIENT + 1):
        asked_for(engine)

    assert asked_for(engine, **other)


def test_many_askers_together_get_so_many_letters_for_a_cause(engine):
    took = [asked_for(engine, asker=f"11.0.{number}.0/32") for number in range(MAX_PER_HOUR_RECIPIENT + 1)]

    assert took == [True] * MAX_PER_HOUR_RECIPIENT + [False]


def test_one_asker_does_not_write_to_the_whole_world(engine):
    took = [asked_for(engine, recipient=f"person-{number}@example.com") for number in range(MAX_PER_HOUR_ASKER + 1)]

    assert took == [True] * MAX_PER_HOUR_ASKER + [False]


def test_letters_that_nobody_asks_for_always_leave(engine, post, context):
    for _ in range(MAX_PER_HOUR_RECIPIENT):
        asked_for(engine, asker=None)
        written(engine)

    send_due_mails(context, post)

    assert post.sent.count(LETTER) == MAX_PER_HOUR_RECIPIENT


def test_who_asked_for_a_letter_cannot_be_read_in_the_ledger(engine):
    asked_for(engine, asker="11.0.0.1/32")

    assert "11.0.0" not in str(mails(engine))


def test_what_has_left_is_forgotten_after_a_day(engine, clock, context, post):
    written(engine)
    send_due_mails(context, post)
    written(engine, at=NOW + 1)

    clock[0] += DAY + 1
    delete_old_mails(context)

    assert [mail.done_at for mail in mails(engine)] == [None]


def test_without_a_mail_server_the_link_is_shown(engine, tmp_path, context):
    written(engine)

    with structlog.testing.capture_logs() as lines:
        send_due_mails(context, Maildir(tmp_path / "mail", "a@example.com"))

    assert lines[0]["folder"] == str(tmp_path / "mail")
    assert [line["event"] for line in lines[1:]] == ["it leads to: https://example.com/confirm/x"]


def test_with_one_nothing_of_it_is_shown(engine, context, post):
    written(engine)

    with structlog.testing.capture_logs() as lines:
        send_due_mails(context, post)

    assert lines == []

"""Mails wait in the ledger until they are sent."""

from __future__ import annotations

import os
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
MAIL = MailMessage("bea@example.com", "Hello", "Follow:\n\nhttps://example.com/confirm/x\n")
DAY = 86_400_000_000


@dataclass
class FakeTransport:
    fault: Exception | None = None
    sent: list[MailMessage] = field(default_factory=list)

    def send(self, mail: MailMessage) -> None:
        if self.fault:
            raise self.fault
        self.sent.append(mail)


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def transport():
    return FakeTransport()


@pytest.fixture
def context(engine, clock):
    return make_context(engine, now=lambda: clock[0], secret_keys=KEYS)


def written(engine, mail=MAIL, at=NOW):
    with writing(engine) as conn:
        enqueue_mail(conn, KEYS, mail, at)


def asked_for(engine, cause="reset", asker="11.0.0.1/32", recipient="bea@example.com", at=NOW):
    with writing(engine) as conn:
        return enqueue_mail_if_allowed(conn, KEYS, MailMessage(recipient, "Hello", ""), MailRequest(cause, asker), at)


def mails(engine):
    with reading(engine) as conn:
        return conn.execute(select(Mail.__table__).order_by(Mail.id)).all()


def test_a_mail_is_sent_once(engine, transport, context):
    written(engine)

    send_due_mails(context, transport)
    send_due_mails(context, transport)

    assert transport.sent == [MAIL]


def test_a_mail_of_a_failed_transaction_is_never_sent(engine, transport, context):
    with engine.connect() as conn, conn.begin() as transaction:
        enqueue_mail(conn, KEYS, MAIL, NOW)
        transaction.rollback()

    send_due_mails(context, transport)

    assert transport.sent == []


def test_the_content_of_a_mail_is_encrypted_while_it_waits_and_deleted_after(engine, context, transport):
    written(engine)
    waiting = mails(engine)[0].content

    send_due_mails(context, transport)

    assert b"confirm" not in waiting
    assert mails(engine)[0].content is None


def test_a_mail_that_was_not_accepted_is_retried_later(engine, transport, clock, context):
    written(engine)
    transport.fault = Unreachable("away")
    send_due_mails(context, transport)
    transport.fault = None

    send_due_mails(context, transport)
    too_soon = list(transport.sent)
    clock[0] += 3_600_000_000
    send_due_mails(context, transport)

    assert (too_soon, transport.sent) == ([], [MAIL])


@pytest.mark.parametrize("fault", [RequestRefused("no", 550), Unreachable("away")])
def test_a_mail_that_is_never_accepted_is_given_up_with_its_reason(engine, transport, clock, fault, context):
    written(engine)
    transport.fault = fault
    for _ in range(MAX_ATTEMPTS):
        send_due_mails(context, transport)
        clock[0] += 3_600_000_000

    [mail] = mails(engine)
    assert (mail.done_at is not None, mail.reason, mail.content) == (True, str(fault), None)


def test_a_mail_whose_sender_ends_is_sent_by_another(engine, transport, clock, context):
    written(engine)
    transport.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        send_due_mails(context, transport)
    transport.fault = None

    clock[0] += 3_600_000_000
    send_due_mails(context, transport)

    assert transport.sent == [MAIL]


HOUR = 3_600_000_000


@pytest.mark.parametrize("asker", ["11.0.0.1/32", None])
def test_mails_for_a_cause_are_limited_per_asker_and_hour(engine, asker):
    took = [asked_for(engine, asker=asker) for _ in range(MAX_PER_HOUR_ASKER_AND_RECIPIENT + 1)]

    assert took == [True] * MAX_PER_HOUR_ASKER_AND_RECIPIENT + [False]
    assert asked_for(engine, asker=asker, at=NOW + HOUR + 1)


@pytest.mark.parametrize(
    "other", [{"asker": "11.0.0.2/32"}, {"asker": None}, {"cause": "confirmation"}, {"recipient": "robin@example.com"}]
)
def test_the_limit_of_one_asker_does_not_affect_others(engine, other):
    for _ in range(MAX_PER_HOUR_ASKER_AND_RECIPIENT + 1):
        asked_for(engine)

    assert asked_for(engine, **other)


def test_mails_for_a_cause_are_limited_for_all_askers_together(engine):
    took = [asked_for(engine, asker=f"11.0.{number}.0/32") for number in range(MAX_PER_HOUR_RECIPIENT + 1)]

    assert took == [True] * MAX_PER_HOUR_RECIPIENT + [False]


def test_mails_to_all_recipients_are_limited_per_asker(engine):
    took = [asked_for(engine, recipient=f"person-{number}@example.com") for number in range(MAX_PER_HOUR_ASKER + 1)]

    assert took == [True] * MAX_PER_HOUR_ASKER + [False]


def test_mails_that_no_visitor_asked_for_are_not_limited(engine, transport, context):
    for _ in range(MAX_PER_HOUR_RECIPIENT):
        asked_for(engine, asker=None)
        written(engine)

    send_due_mails(context, transport)

    assert transport.sent.count(MAIL) == MAX_PER_HOUR_RECIPIENT


def test_the_ledger_does_not_show_who_asked_for_a_mail(engine):
    asked_for(engine, asker="11.0.0.1/32")

    assert "11.0.0" not in str(mails(engine))


def test_a_sent_mail_is_deleted_after_a_day(engine, clock, context, transport):
    written(engine)
    send_due_mails(context, transport)
    written(engine, at=NOW + 1)

    clock[0] += DAY + 1
    delete_old_mails(context)

    assert [mail.done_at for mail in mails(engine)] == [None]


def test_without_a_mail_server_the_link_is_logged(engine, tmp_path, context):
    written(engine)

    with structlog.testing.capture_logs() as lines:
        send_due_mails(context, Maildir(tmp_path / "mail", "a@example.com"))

    assert lines[0]["folder"] == str(tmp_path / "mail")
    assert [line["event"] for line in lines[1:]] == ["it leads to: https://example.com/confirm/x"]


def test_with_a_mail_server_nothing_of_a_mail_is_logged(engine, context, transport):
    written(engine)

    with structlog.testing.capture_logs() as lines:
        send_due_mails(context, transport)

    assert lines == []


def test_letters_in_the_maildir_are_deleted_after_30_days(engine, clock, tmp_path):
    context = make_context(engine, now=lambda: clock[0], secret_keys=KEYS, data_dir=tmp_path)
    for _ in range(2):
        Maildir(tmp_path / "mail", "a@example.com").send(MAIL)
    letters = sorted((tmp_path / "mail" / "new").iterdir())
    read = letters[0].rename(tmp_path / "mail" / "cur" / f"{letters[0].name}:2,S")
    for age_in_days, letter in ((31, read), (29, letters[1])):
        os.utime(letter, (0, (clock[0] - age_in_days * DAY) / 1_000_000))

    delete_old_mails(context)

    assert [path for path in (tmp_path / "mail").rglob("*") if path.is_file()] == [letters[1]]

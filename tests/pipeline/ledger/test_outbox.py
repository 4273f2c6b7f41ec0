"""The outbox: a row is sent once, retried until it is accepted, and given up after the last attempt."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.ledger.engine import reading, writing
from pipeline.ledger.mail_outbox import MAILS, insert_mail
from pipeline.ledger.monitoring.alarms import NOTICES, insert_notice
from pipeline.ledger.outbox import CLAIM_TIMEOUT_US, MAX_ATTEMPTS, MAX_BACKOFF_US, MIN_BACKOFF_US, SendFailure, send_due
from tests.builders import NOW


def write_mail(engine):
    with writing(engine) as conn:
        insert_mail(conn, "bea@example.com", lambda _: b"sealed", NOW)


def write_notice(engine):
    with writing(engine) as conn:
        insert_notice(conn, "msg_1", {"type": "test"}, NOW)


OUTBOXES = pytest.mark.parametrize(
    ("outbox", "write"), [(MAILS, write_mail), (NOTICES, write_notice)], ids=["mails", "notices"]
)


class Sender:
    """Records what is sent; fails with `failure` if it has one."""

    def __init__(self, failure=None):
        self.failure = failure
        self.items = []

    def __call__(self, item):
        self.items.append(item)
        return self.failure


def read_row(engine, outbox):
    with reading(engine) as conn:
        return conn.execute(select(outbox.table)).one()


@OUTBOXES
def test_a_row_is_sent_once(engine, outbox, write):
    write(engine)
    sender = Sender()

    counts = [send_due(engine, outbox, lambda: NOW, sender) for _ in range(2)]

    assert (counts, len(sender.items)) == ([1, 0], 1)
    assert read_row(engine, outbox).done_at == NOW


@OUTBOXES
def test_a_claimed_row_is_due_again_only_when_the_claim_has_timed_out(engine, outbox, write):
    write(engine)
    with writing(engine) as conn:
        [row_id] = outbox.list_due(conn, NOW)
        claims = [outbox.claim(conn, row_id, NOW + after) for after in (0, 1, CLAIM_TIMEOUT_US)]

    assert [claim and claim.attempts for claim in claims] == [1, None, 2]


@OUTBOXES
def test_the_backoff_doubles_up_to_an_hour(engine, outbox, write):
    write(engine)
    clock, waits = [NOW], []
    for _ in range(MAX_ATTEMPTS - 1):
        send_due(engine, outbox, lambda: clock[0], Sender(SendFailure("away")))
        waits.append(read_row(engine, outbox).next_attempt_at - clock[0])
        clock[0] += waits[-1]

    assert waits[:3] == [MIN_BACKOFF_US, 2 * MIN_BACKOFF_US, 4 * MIN_BACKOFF_US]
    assert waits[8:] == [MAX_BACKOFF_US] * (MAX_ATTEMPTS - 9)
    assert read_row(engine, outbox).done_at is None


@OUTBOXES
def test_a_row_is_given_up_after_the_last_attempt(engine, outbox, write):
    write(engine)
    for attempt in range(MAX_ATTEMPTS):
        send_due(engine, outbox, lambda at=NOW + attempt * MAX_BACKOFF_US: at, Sender(SendFailure("away")))

    row = read_row(engine, outbox)
    assert (row.done_at is not None, row.reason, row.attempts) == (True, "away", MAX_ATTEMPTS)


@OUTBOXES
def test_a_row_is_given_up_at_once_when_the_failure_is_final(engine, outbox, write):
    write(engine)

    send_due(engine, outbox, lambda: NOW, Sender(SendFailure("refused", is_final=True)))

    row = read_row(engine, outbox)
    assert (row.done_at, row.reason) == (NOW, "refused")


def test_what_a_mail_says_is_cleared_when_it_is_given_up(engine):
    write_mail(engine)

    send_due(engine, MAILS, lambda: NOW, Sender(SendFailure("refused", is_final=True)))

    assert read_row(engine, MAILS).content is None


@OUTBOXES
def test_only_rows_done_longer_ago_than_they_are_kept_are_deleted(engine, outbox, write):
    write(engine)
    send_due(engine, outbox, lambda: NOW, Sender())
    counts = []
    for now in (NOW + outbox.retention_us, NOW + outbox.retention_us + 1):
        with writing(engine) as conn:
            outbox.delete_old(conn, now)
            counts.append(len(conn.execute(select(outbox.table)).all()))

    assert counts == [1, 0]

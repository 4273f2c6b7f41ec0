"""Every hook that was taken is told, and few lines are enough for it."""

from __future__ import annotations

import pytest
import structlog

from pipeline.inbox.entry import build_heartbeat
from pipeline.inbox.receipt_log import MAX_RECEIPT_DELAY_S, MAX_RECEIPTS_PER_LINE, ReceiptLog
from tests.pipeline.inbox.hooks import hook


class Told:
    """A journal, its clock, and what it has told."""

    def __init__(self, lines):
        self.time = 100.0
        self.journal = ReceiptLog(lambda: self.time)
        self._lines = lines

    @property
    def lines(self):
        return [(line["way"], line["receipts"]) for line in self._lines]


@pytest.fixture
def told():
    with structlog.testing.capture_logs() as lines:
        yield Told(lines)


def test_hooks_of_a_moment_share_a_line(told):
    hooks = [hook(number) for number in range(3)]
    for one in hooks:
        told.journal.took("inbox", [one])
        told.journal.tell()
    told.time += MAX_RECEIPT_DELAY_S
    told.journal.tell()

    assert told.lines == [("inbox", [one.receipt for one in hooks])]


def test_a_full_line_is_told_at_once(told):
    told.journal.took("inbox", [hook(number) for number in range(MAX_RECEIPTS_PER_LINE)])
    told.journal.tell()

    assert len(told.lines[0][1]) == MAX_RECEIPTS_PER_LINE


def test_hooks_that_went_another_way_have_their_own_line(told):
    told.journal.took("inbox", [hook(1)])
    told.journal.took("spool", [hook(2)])
    told.journal.close()

    assert [way for way, _ in told.lines] == ["inbox", "spool"]


def test_nothing_is_told_of_heartbeats(told):
    told.journal.took("inbox", [build_heartbeat(1)])
    told.journal.close()

    assert told.lines == []


def test_nothing_is_told_twice(told):
    told.journal.took("inbox", [hook(1)])
    told.journal.close()
    told.journal.close()

    assert len(told.lines) == 1

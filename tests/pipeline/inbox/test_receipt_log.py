"""The receipt of every stored hook is logged, in few lines."""

from __future__ import annotations

import pytest
import structlog

from pipeline.inbox.batch_writer import MAX_RECEIPT_DELAY_S, MAX_RECEIPTS_PER_LINE, ReceiptLog
from pipeline.inbox.entry import build_heartbeat
from tests.pipeline.inbox.hooks import hook


class Setup:
    """A receipt log, its clock, and the lines it has written."""

    def __init__(self, lines):
        self.time = 100.0
        self.receipts = ReceiptLog(lambda: self.time)
        self._lines = lines

    @property
    def lines(self):
        return [(line["way"], line["receipts"]) for line in self._lines]


@pytest.fixture
def setup():
    with structlog.testing.capture_logs() as lines:
        yield Setup(lines)


def test_hooks_of_a_moment_share_a_line(setup):
    hooks = [hook(number) for number in range(3)]
    for stored in hooks:
        setup.receipts.add("inbox", [stored])
        setup.receipts.flush_if_due()
    setup.time += MAX_RECEIPT_DELAY_S
    setup.receipts.flush_if_due()

    assert setup.lines == [("inbox", [stored.receipt for stored in hooks])]


def test_a_full_line_is_written_at_once(setup):
    setup.receipts.add("inbox", [hook(number) for number in range(MAX_RECEIPTS_PER_LINE)])
    setup.receipts.flush_if_due()

    assert len(setup.lines[0][1]) == MAX_RECEIPTS_PER_LINE


def test_hooks_of_another_route_have_their_own_line(setup):
    setup.receipts.add("inbox", [hook(1)])
    setup.receipts.add("spool", [hook(2)])
    setup.receipts.flush()

    assert [way for way, _ in setup.lines] == ["inbox", "spool"]


def test_heartbeats_are_not_logged(setup):
    setup.receipts.add("inbox", [build_heartbeat(1)])
    setup.receipts.flush()

    assert setup.lines == []


def test_no_receipt_is_logged_twice(setup):
    setup.receipts.add("inbox", [hook(1)])
    setup.receipts.flush()
    setup.receipts.flush()

    assert len(setup.lines) == 1

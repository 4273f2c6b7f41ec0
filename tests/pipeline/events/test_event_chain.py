"""The hash chain of a store's events: one changed line changes all after it."""

from __future__ import annotations

import hashlib

from pipeline.events.event_chain import FIRST_HASH, ChainLine, extend_chain

LINES = [ChainLine(1, 10, "order_new:7015"), ChainLine(2, 20, "order_new:7016"), ChainLine(3, 30, "customer_new:7")]


def test_no_line_leaves_the_chain_as_it_is():
    assert extend_chain(FIRST_HASH, []) == (FIRST_HASH, 0)


def test_a_chain_goes_on_where_it_ended():
    middle, first = extend_chain(FIRST_HASH, LINES[:1])
    end, rest = extend_chain(middle, LINES[1:])

    assert (end, first + rest) == extend_chain(FIRST_HASH, LINES)


def test_a_changed_a_missing_and_a_swapped_line_change_the_end():
    ends = {
        extend_chain(FIRST_HASH, lines)[0]
        for lines in (LINES, [LINES[0]._replace(received_at=11), *LINES[1:]], LINES[1:], LINES[::-1])
    }

    assert len(ends) == 4


def test_a_line_can_be_shown_without_what_identifies_the_event():
    line = str(LINES[0])

    assert line == f"1 10 {hashlib.sha256(b'order_new:7015').hexdigest()}"
    assert "7015" not in line

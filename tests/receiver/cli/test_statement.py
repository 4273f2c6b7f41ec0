"""`cratewire statement`."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlalchemy import update

from pipeline.context import now_us
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Event
from tests.installation import order_hook

LAST_YEAR = int(datetime(2025, 5, 3, tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture
def may(installed, track):
    """A store with an order of May 2025."""
    installed.connect(track.config)
    installed.record(order_hook(1, received_at=LAST_YEAR))
    with writing(installed.process.engine) as conn:
        conn.execute(update(Event).values(recorded_at=LAST_YEAR))
    return installed


def test_a_month_that_has_ended_is_shown_with_its_hash(shell, may):
    found = shell.json("statement", "--store", "acme", "--month", "2025-05", "--verify")

    assert (found["counts"]["received"], found["counts_at_closing"]["waiting"], found["events"]) == (1, 1, 1)
    assert [(one["month"], one["holds"], one["hash"]) for one in found["verified"]] == [
        ("2025-05", True, found["hash"])
    ]


def test_its_lines_lead_to_the_hash(shell, may):
    previous, *lines = shell.said("statement", "--store", "acme", "--month", "2025-05", "--lines").splitlines()
    for line in lines:
        previous = sha256(f"{previous} {line}".encode()).hexdigest()

    assert previous == shell.json("statement", "--store", "acme", "--month", "2025-05")["hash"]


def test_a_changed_event_ends_with_code_1_and_is_named(shell, may):
    shell.run("statement", "--store", "acme", "--month", "2025-05")
    with writing(may.process.engine) as conn:
        conn.execute(update(Event).values(received_at=LAST_YEAR + 1))

    result = shell.run("statement", "--store", "acme", "--month", "2025-05", "--verify")

    assert (result.exit_code, "2025-05: 1 event, at least one of them changed" in result.output) == (1, True)


def test_an_open_month_cannot_be_verified(shell, may):
    month = f"{datetime.fromtimestamp(now_us() / 1_000_000, UTC):%Y-%m}"

    assert "is not closed yet" in shell.run("statement", "--store", "acme", "--month", month, "--verify").output
    assert "(open)" in shell.said("statement", "--store", "acme", "--month", month)


def test_a_month_that_is_none_is_refused(shell, may):
    assert (
        "2025-5-1 is no month such as 2026-11"
        in shell.run("statement", "--store", "acme", "--month", "2025-5-1").output
    )

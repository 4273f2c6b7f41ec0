"""`cratewire flow`."""

from __future__ import annotations

from sqlalchemy import delete

from pipeline.ledger.counts.keys import HOUR_US
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.counts import CountChange
from tests.installation import make_hook, order_hook
from tests.receiver.cli.lanes import run_lanes


def test_everything_received_is_somewhere(shell, installed, track):
    connection = installed.connect(track.config)
    installed.record(order_hook(1))
    run_lanes(installed, connection)
    installed.record(order_hook(1), order_hook(2), make_hook(b"{"), make_hook(b'{"a": 1}', event="design_updated"))

    found = shell.json("flow", "show", "--store", "acme", "--hours", "20000")

    expected = {"received": 5, "repeats": 1, "unreadable": 1, "kept": 1, "withheld": 0, "waiting": 1, "sent": 1}
    expected |= {"refused": 0, "recovered": 0}
    assert found["total"] == expected
    assert [{**part, "since": 0, "until": 0} for part in found["parts"]] == [{"since": 0, "until": 0, **expected}]
    assert "received = repeats + unreadable + kept" in shell.said("flow", "show", "--hours", "20000", "--by", "day")


def test_a_span_has_its_ends(shell, installed):
    found = shell.json("flow", "show", "--since", "2026-11-30", "--until", "2026-11-30T03:30")

    assert (found["until"] - found["since"], found["total"]["received"]) == (4 * HOUR_US, 0)
    assert shell.run("flow", "show", "--since", "2026-11-30", "--until", "2026-11-29").exit_code != 0
    assert "there is no store nobodys" in shell.run("flow", "show", "--store", "nobodys").output


def test_wrong_counts_are_found_and_corrected(shell, installed, track):
    installed.connect(track.config)
    installed.record(order_hook(1))
    right = shell.run("flow", "recount", "--check")
    with writing(installed.process.engine) as conn:
        conn.execute(delete(CountChange))

    wrong = shell.run("flow", "recount", "--check")
    shell.said("flow", "recount")

    assert (right.exit_code, "Every count is right." in right.output) == (0, True)
    assert (wrong.exit_code, "3 counts wrong" in wrong.output, "cratewire flow recount" in wrong.output) == (
        1,
        True,
        True,
    )
    assert shell.json("flow", "recount") == {"differences": [], "corrected": False}

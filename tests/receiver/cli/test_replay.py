"""`cratewire replay`: what it would do is shown first, and only --yes begins it."""

from __future__ import annotations

import pytest

from pipeline.ledger.schema import core
from pipeline.operations.replays.run import run_replay
from tests.contracts.fake_track import CannedAnswer
from tests.installation import make_hook, order_hook
from tests.receiver.cli.lanes import run_lanes


@pytest.fixture
def connection(installed, track):
    return installed.connect(track.config)


@pytest.fixture
def refused(installed, connection, track):
    """The platform refuses a profile, and with it its event."""
    installed.record(order_hook(1))
    track.next.append(CannedAnswer(400, '{"meta":{"errors":["nothing we can use"]}}'))
    run_lanes(installed, connection)


def statuses(installed):
    return [row.status for row in installed.rows(core.Delivery)]


def test_without_yes_it_only_says_what_it_would_do(shell, installed, refused):
    said = shell.said("replay", "start", "--refused")

    assert "2 messages will be sent, about 1 person." in said
    assert "Nothing was sent. With --yes it begins." in said
    assert statuses(installed) == ["dead", "dead"]
    assert shell.json("replay", "list") == []


def test_with_yes_a_worker_sends_them(shell, installed, track, connection, refused):
    document = shell.json("replay", "start", "--refused", "--yes")
    run_replay(installed.process, document["id"])
    run_lanes(installed, connection)
    run_replay(installed.process, document["id"])

    assert statuses(installed) == ["sent", "sent"]
    assert "Done: 2 done, 0 failed, 0 left." in shell.said("replay", "show", str(document["id"]))
    assert "done  2     2    0      0    acme" in shell.said("replay", "list")


def test_the_figures_have_the_same_names_as_on_pages(shell, refused):
    counts = shell.json("replay", "start", "--refused")["counts"]

    assert (counts["messages"], counts["people"], counts["repeats"], counts["withheld"]) == (2, 1, 0, 0)


def test_what_has_arrived_is_delivered_again_only_on_request(shell, installed, connection):
    installed.record(order_hook(1))
    run_lanes(installed, connection)

    assert "There is nothing to send again.\nNot sent: 2 arrived already." in shell.said("replay", "start", "--event=1")
    assert "1 of them has arrived before" in shell.said("replay", "start", "--event=1", "--again")


def test_a_running_one_can_be_stopped_and_no_other(shell, installed, refused):
    replay_id = str(shell.json("replay", "start", "--refused", "--yes")["id"])
    shell.said("replay", "stop", replay_id)
    run_replay(installed.process, int(replay_id))

    assert shell.json("replay", "show", replay_id)["state"] == "stopped"
    assert "is not running: it is stopped" in shell.complaint("replay", "stop", replay_id)


def test_dead_hooks_are_read_again(shell, installed, connection):
    installed.record(make_hook(b"{"))

    assert "1 hook will be read again." in shell.said("replay", "start", "--hooks")
    assert "1 hook will be read again." in shell.said("replay", "start", "--hook", "hook:1")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((), "say what to replay"),
        (("--refused", "--event=1"), "not several of these"),
        (("--refused", "--since=2026-01-01"), "not several of these"),
        (("--hook=1",), "not of the form hook:N"),
        (("--since=yesterday",), "is no day or time"),
    ],
)
def test_what_cannot_be_understood_is_said(shell, typed, said):
    assert said in shell.complaint("replay", "start", *typed, code=2)


def test_with_several_stores_one_must_be_named(shell, installed, connection):
    installed.connect({}, store="other")

    assert "name one with --store" in shell.complaint("replay", "start", "--refused")
    assert "nothing to send again" in shell.said("replay", "start", "--refused", "--store", "other")


def test_a_replay_that_is_not_there_is_said(shell):
    assert "no replay 7" in shell.complaint("replay", "show", "7")

"""An erasure on the command line reaches the platform, and the list of regulations says so."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from tests.contracts.fake_track import CannedAnswer
from tests.installation import order_hook
from tests.receiver.cli.lanes import run_lanes

BEA, VERA = "bea.buyer@example.com", "vera@example.com"


@pytest.fixture
def connection(installed, track):
    """A store whose two buyers have profiles at the platform."""
    connection = installed.connect(track.config)
    installed.record(order_hook(1), order_hook(2, VERA, 7002))
    run_lanes(installed, connection)
    return connection


def erase(shell, *options):
    shell.said("people", "erase", BEA, "--store", "acme", "--yes", "--at-destinations", *options)


def known(track):
    return {value for profile in track.profiles for kind, value in profile if kind == "email"}


def destinations(shell):
    [row] = shell.json("people", "regulations", "list")
    return [(place["platform"], place["mode"], place["state"], place["reason"]) for place in row["destinations"]]


@pytest.mark.parametrize(("options", "mode"), [((), "delete"), (("--suppress",), "suppress")])
def test_the_platform_forgets_the_person_and_no_other(shell, installed, track, connection, options, mode):
    assert known(track) == {BEA, VERA}
    erase(shell, *options)
    assert destinations(shell) == [("customerio", mode, "open", None)]

    run_lanes(installed, connection)

    assert known(track) == {VERA}
    assert destinations(shell) == [("customerio", mode, "done", None)]


def test_no_later_message_of_ours_brings_a_suppressed_person_back(shell, installed, track, connection):
    erase(shell, "--suppress")
    run_lanes(installed, connection)
    installed.record(order_hook(3), order_hook(4, "bea.new@example.com"), order_hook(5, BEA, 7009))
    run_lanes(installed, connection)

    assert known(track) == {VERA}


def test_no_message_holds_the_address_once_the_request_is_settled(shell, installed, track, connection):
    erase(shell)
    run_lanes(installed, connection)

    assert [row.id for row in installed.rows(core.Delivery) if BEA in str(row.message)] == []


def test_a_request_waits_while_the_connection_is_paused(shell, installed, track, connection):
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.StoreConnection).values(status="paused", status_reason="by hand"))
    erase(shell)
    run_lanes(installed, connection)

    assert (known(track), destinations(shell)[0][2]) == ({BEA, VERA}, "open")


def test_what_the_platform_refuses_is_said_in_the_list_and_among_the_dead(shell, installed, track, connection):
    erase(shell)
    track.next.append(CannedAnswer(400, '{"meta":{"errors":["not for you"]}}'))
    run_lanes(installed, connection)

    assert destinations(shell) == [("customerio", "delete", "failed", "refused")]
    assert [one["event"] for one in shell.json("dead", "list")] == ["forget"]

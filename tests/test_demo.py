"""The demo: the real thing from a store's hook to Customer.io's people, in processes of its own.

`tests/rabbitmq` has one with another platform; `make demos` runs all of them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from receiver.cli import demo
from receiver.demo.boxes import BOX_KEYS, are_boxes_right
from receiver.demo.log_in import LogIn
from receiver.demo.platforms import PLATFORMS
from receiver.demo.processes import DemoInstallation, DemoProcesses, write_cratewire_script
from receiver.demo.scenario import ANSWER_KINDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

KEYS = {
    *("sent", "accepted", "events", "duplicates_dropped", "quarantined", "people", "gift_recipients", "delivered"),
    *("missing", "unexpected", "twice", "out_of_order", "seconds", "hooks_lost_by_store", "recovered"),
    *("customers", "customers_withheld", "backfilled", "withheld_people", "leaks"),
    *("shipments_due", "sent_to_warehouse", "confirmed", "store_emails", "boxes_twice"),
}
FAULTS = ("missing", "unexpected", "twice", "out_of_order", "leaks")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """One demo as a newcomer runs it: its exit code, and what it printed."""
    command = [sys.executable, "-m", "receiver.cli", "demo", "--hooks", "150", "--seed", "4", "--json"]
    done = subprocess.run(command, cwd=tmp_path_factory.mktemp("demo"), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_everything_arrives_once_and_the_demo_says_so(played):
    code, found = played

    assert (code, [found[fault] for fault in FAULTS]) == (0, [0, 0, 0, 0, 0])


def test_keep_prints_how_to_open_the_stores_page(tmp_path):
    stage = DemoInstallation(
        web="http://127.0.0.1:1",
        flower="http://127.0.0.1:2",
        data=tmp_path,
        command=tmp_path / "cratewire",
        store={"url": "a"},
        platform=PLATFORMS["customerio"],
        platform_keys={"url": "b"},
        warehouse={},
    )

    printed = "\n".join(demo.list_addresses(stage, [LogIn("you@example.com", "a-password")]))

    assert "http://127.0.0.1:1/stores/demo" in printed
    assert "Log in as you@example.com with the password a-password" in printed


def test_the_command_it_prints_is_set_up_for_the_demo_wherever_it_is_typed(tmp_path):
    """Though the shell is set up for another installation."""
    folder, elsewhere = tmp_path / "demo", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / ".env").write_text("PORT=1\n")
    command = write_cratewire_script(
        DemoProcesses(folder, {"CRATEWIRE_DATA_DIR": str(folder / "data"), "PORT": "8765"})
    )
    foreign = {"PATH": os.defpath, "PORT": "2", "REDIS_URL": "redis://127.0.0.1:3", "CRATEWIRE_HOST": "nonsense"}

    def typed(*words):
        return subprocess.run([command, *words], cwd=elsewhere, env=foreign, capture_output=True, text=True, check=True)

    typed("migrate")
    printed = typed("accounts", "invite", "you@example.com").stdout

    assert "http://127.0.0.1:8765/" in printed


def test_it_prints_what_it_counted(played):
    assert played[1].keys() >= KEYS


def test_every_hook_that_was_accepted_is_accounted_for(played):
    found = played[1]

    reported = found["events"] - found["recovered"]
    assert found["accepted"] == reported + found["duplicates_dropped"] + found["quarantined"]


def test_the_store_lived_through_everything_hooks_can_be(played):
    found = played[1]

    assert found["sent"] >= 150
    assert min(found[key] for key in ("duplicates_dropped", "gift_recipients", "delivered")) > 0


def test_every_existing_customer_becomes_a_profile(played):
    found = played[1]

    assert found["backfilled"] == found["customers"] - found["customers_withheld"] > 0


@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_what_people_answered_the_shop_is_there(played, kind):
    found = played[1]

    assert found[f"{kind}_arrived"] == found[f"{kind}_due"] > 0


def test_what_the_store_lost_and_its_api_shows_is_recovered(played):
    found = played[1]

    assert 0 < found["recovered"] <= found["hooks_lost_by_store"]


def test_every_box_that_is_due_goes_out_once_and_comes_back_confirmed(played):
    found = played[1]

    assert found["shipments_due"] == found["sent_to_warehouse"] == found["confirmed"] > 10
    assert found["boxes_twice"] == 0


BOXES = {
    "shipments_due": 3,
    "sent_to_warehouse": 3,
    "confirmed": 3,
    "store_emails": 3,
    "boxes_twice": 0,
    "offences": [],
}


def test_boxes_are_right_when_each_is_confirmed():
    assert are_boxes_right(BOXES)


@pytest.mark.parametrize(
    "wrong",
    [{"sent_to_warehouse": 2}, {"confirmed": 2}, {"boxes_twice": 1}, {"offences": [{"kind": "emails"}]}],
)
def test_boxes_are_wrong_when_one_is_missing_doubled_or_odd(wrong):
    assert not are_boxes_right(BOXES | wrong)


@pytest.mark.parametrize("fault", FAULTS)
def test_it_fails_when_something_is_wrong(monkeypatch, fault):
    """What the comparison finds is tested where it is made."""
    sigterm = signal.getsignal(signal.SIGTERM)
    compared = {"events": {}, "wrong_people": [], "differences": []}
    boxes = dict.fromkeys(BOX_KEYS, 0) | {"offences": []}
    found = {**dict.fromkeys(KEYS, 0), fault: 1, "comparison": compared, "boxes": boxes}
    monkeypatch.setattr(demo, "start_demo", lambda *_: None)
    monkeypatch.setattr(demo, "run_scenario", lambda *_, **__: found)

    result = CliRunner().invoke(demo.demo, ["--json"])

    signal.signal(signal.SIGTERM, sigterm)
    assert (result.exit_code, json.loads(result.stdout)[fault]) == (1, 1)

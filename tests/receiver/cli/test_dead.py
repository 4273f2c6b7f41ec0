"""`cratewire dead`: dead hooks and deliveries, and their replay."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pipeline.inbox import stream
from pipeline.ledger.deliveries.stopped import EMPTY_MESSAGE
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from tests.contracts.fake_track import CannedAnswer
from tests.installation import make_hook, order_hook
from tests.receiver.cli.lanes import run_lanes

BROKEN = b'{"id": never closed'


@pytest.fixture
def connection(installed, track):
    return installed.connect(track.config)


@pytest.fixture
def dead_hook(installed, connection):
    hook = make_hook(BROKEN)
    installed.record(hook)
    return hook


@pytest.fixture
def dead_delivery(installed, connection, track):
    """The platform refuses a profile, and with it its event."""
    installed.record(order_hook(1))
    track.next.append(CannedAnswer(400, '{"meta":{"errors":["nothing we can use"]}}'))
    run_lanes(installed, connection)


def names(shell):
    return [one["name"] for one in shell.json("dead", "list")]


def waiting(installed):
    return stream.read(installed.process.redis, 10, 10**6)


def test_without_any_it_says_so(shell):
    assert shell.json("dead", "list") == []
    assert shell.said("dead", "list") == "There are no dead hooks or deliveries.\n"


def test_hooks_and_deliveries_stand_in_one_list(shell, dead_hook, dead_delivery):
    assert sorted(names(shell)) == ["delivery:1", "delivery:2", "hook:1"]
    assert {one["event"] for one in shell.json("dead", "list")} == {None, "order_new"}


def test_a_human_sees_what_died_and_why(shell, dead_hook):
    reason = shell.json("dead", "list")[0]["reason"]
    text = shell.said("dead", "list")

    assert [word for word in ("hook:1", "order_new", reason, "acme") if word not in text] == []


def test_a_human_sees_where_it_died(shell, dead_hook):
    assert " in decode, " in shell.said("dead", "show", "hook:1")


def test_a_hook_is_shown_with_its_reason_and_its_bytes(shell, dead_hook):
    document = shell.json("dead", "show", "hook:1")

    assert (document["raw"], document["receipt"], document["times"]) == (BROKEN.decode(), dead_hook.receipt, 1)
    assert BROKEN.decode() in shell.said("dead", "show", "hook:1")


def test_bytes_that_are_no_text_can_be_shown(shell, installed, connection):
    installed.record(make_hook(b"\xff\xfe{[bold]"))

    assert "\\xff\\xfe{[bold]" in shell.said("dead", "show", "hook:1")
    assert shell.json("dead", "show", "hook:1")["raw"] == "\\xff\\xfe{[bold]"


def test_a_delivery_is_shown_with_what_was_sent(shell, dead_delivery):
    document = shell.json("dead", "show", "delivery:1")

    assert (document["listed"]["stage"], document["delivery"]["message"]["customer_id"]) == ("forward", 7001)
    assert "first_name" in shell.said("dead", "show", "delivery:1")


def test_a_hook_goes_back_into_the_inbox_as_it_came(shell, installed, dead_hook):
    assert shell.json("dead", "replay", "hook:1") == {"replayed": ["hook:1"]}

    (entry,) = waiting(installed)
    assert (entry.raw, entry.receipt, entry.received_at, entry.source) == (
        BROKEN,
        dead_hook.receipt,
        dead_hook.received_at,
        "replay",
    )


def test_a_delivery_waits_in_its_lane_again(shell, installed, track, connection, dead_delivery):
    assert shell.said("dead", "replay", "delivery:1", "delivery:2") == "2 replayed.\n"

    run_lanes(installed, connection)
    assert [row.status for row in installed.rows(core.Delivery)] == ["sent", "sent"]


def test_everything_can_be_replayed_at_once(shell, dead_hook, dead_delivery):
    assert sorted(shell.json("dead", "replay", "--all")["replayed"]) == ["delivery:1", "delivery:2", "hook:1"]


def test_everything_goes_back_in_the_order_in_which_it_died(shell, installed, connection):
    for number in range(3):
        installed.record(make_hook(b"{%d" % number))

    shell.said("dead", "replay", "--all")

    assert [entry.raw for entry in waiting(installed)] == [b"{0", b"{1", b"{2"]


def test_what_is_alive_already_is_left_alone(shell, dead_delivery):
    shell.said("dead", "replay", "delivery:1")

    assert "no dead delivery 1" in shell.complaint("dead", "replay", "delivery:1")


@pytest.mark.parametrize("typed", [("dead", "replay"), ("dead", "replay", "--all", "hook:1")])
def test_either_a_name_or_all_must_be_given(shell, typed):
    assert "--all" in shell.complaint(*typed, code=2)


@pytest.mark.parametrize("name", ["1", "hook", "hook:", "hook:x", "order:1", "hook:-1", "hook:²", "hook:" + "9" * 19])
def test_a_name_of_another_form_is_said(shell, name):
    assert "hook:N or delivery:N" in shell.complaint("dead", "show", "--", name)


@pytest.mark.parametrize("name", ["hook:7", "delivery:7", "hook:9223372036854775807"])
def test_what_is_not_there_is_said(shell, name):
    assert f"no dead {name.replace(':', ' ')}" in shell.complaint("dead", "show", name)


def test_without_redis_no_hook_is_called_replayed(shell, installed, dead_hook, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:9/0")

    assert "Redis does not answer" in shell.complaint("dead", "replay", "hook:1")
    assert [row.replayed_at for row in installed.rows(core.DeadHook)] == [None]


def test_what_was_read_before_its_schema_learned_lives_after_a_replay(shell, installed, connection):
    installed.record(order_hook(5, store="late"))
    installed.connect({}, store="late")
    shell.said("dead", "replay", "hook:1")

    installed.record(*waiting(installed))

    assert [row.subject_id for row in installed.rows(core.Event)] == [5]
    assert names(shell) == []


def test_a_request_to_forget_a_person_holds_no_address_any_more_and_is_not_replayed(shell, installed, dead_delivery):
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.Delivery).where(core.Delivery.id == 1).values(kind="forget", name="forget"))

    assert "people erase --at-destinations" in shell.complaint("dead", "replay", "delivery:1")


def test_a_delivery_whose_content_is_no_longer_kept_is_not_replayed(shell, installed, dead_delivery):
    with writing(installed.process.engine) as conn:
        conn.execute(update(core.Delivery).where(core.Delivery.id == 1).values(message=EMPTY_MESSAGE, packed=None))

    result = shell.run("dead", "replay", "delivery:1", "delivery:2", "--json")

    assert result.stderr == "delivery:1 was not replayed: its content is no longer kept.\n"
    assert '"replayed": ["delivery:2"]' in " ".join(result.stdout.split()).replace("[ ", "[").replace(" ]", "]")

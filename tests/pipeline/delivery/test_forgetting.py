"""An erased person's platforms are asked through the lane, and the regulation's rows say what became of it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from pipeline.core.messages import (
    BACKFILL_PRIORITY,
    ConnectionBroken,
    ForgetMode,
    Identifiers,
    Rejected,
    RetryAfter,
    Sent,
)
from pipeline.delivery.forgetting import enqueue_forget
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.connections import resume_connection
from pipeline.ledger.deliveries.forgetting import (
    ForgetProgress,
    ForgetRequest,
    list_forget_progress,
)
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.deliveries import list_calls
from pipeline.ledger.schema import core
from pipeline.ledger.schema.regulations import Regulation
from pipeline.operations.replay import replay_delivery
from tests.pipeline.delivery.fake_destination import always
from tests.pipeline.delivery.lane_setup import SECOND, LaneSetup
from tests.pipeline.ledger.rows import NOW, add_connection, delivery

REGULATION = 7
ASKED = Identifiers((7001,), ("bea@example.com", "bea@old.example.com"))


@pytest.fixture(autouse=True)
def _regulation(lane_setup: LaneSetup) -> None:
    row = {"id": REGULATION, "uid": "r-7", "store_id": lane_setup.connection.store_id, "kind": "suppress"}
    with writing(lane_setup.engine) as conn:
        conn.execute(insert(Regulation).values(**row, at_destinations=True, emptied={}, created_at=NOW))


def _enqueue(lane_setup: LaneSetup, mode: ForgetMode = "suppress", person: int = 0) -> None:
    with writing(lane_setup.engine) as conn:
        request = ForgetRequest(REGULATION, lane_setup.people[person], ASKED, mode)
        enqueue_forget(conn, lane_setup.connection.store_id, request, lane_setup.now)


def _progress(lane_setup: LaneSetup) -> list[ForgetProgress]:
    with reading(lane_setup.engine) as conn:
        return list_forget_progress(conn, [REGULATION])


def _states(lane_setup: LaneSetup) -> list[tuple[str, str | None]]:
    return [(one.state, one.reason) for one in _progress(lane_setup)]


def _message(lane_setup: LaneSetup) -> Any:
    with reading(lane_setup.engine) as conn:
        return delivery(conn, _progress(lane_setup)[0].delivery_id or 0)


def test_the_platform_forgets_every_identifier_and_the_regulation_is_done_there(lane_setup: LaneSetup):
    _enqueue(lane_setup)
    assert _states(lane_setup) == [("open", None)]

    lane_setup.run()

    assert lane_setup.destination.forgotten == [(ASKED, "suppress", 0)]
    assert _states(lane_setup) == [("done", None)]
    assert _progress(lane_setup)[0].done_at == lane_setup.now


def test_the_call_is_recorded_like_that_of_any_message(lane_setup: LaneSetup):
    _enqueue(lane_setup)
    lane_setup.run()

    row = _message(lane_setup)
    with reading(lane_setup.engine) as conn:
        assert [call.status for call in list_calls(conn, [row.id])] == [200]
    assert (row.status, row.attempts, row.kind, row.name) == ("sent", 1, "forget", "forget")


@pytest.mark.parametrize("outcome", [Sent(), Rejected("refused", "is odd")])
def test_no_identifier_stays_behind_once_it_is_settled(lane_setup: LaneSetup, outcome: Sent | Rejected):
    _enqueue(lane_setup)
    lane_setup.destination.next_forget.append(outcome)
    lane_setup.run()

    message = _message(lane_setup).message
    assert message == {"customer_id": None, "email": None, "at": lane_setup.now // SECOND, "data": {}}


def test_it_is_retried_with_its_identifiers_after_a_failure_that_passes(lane_setup: LaneSetup):
    _enqueue(lane_setup)
    lane_setup.destination.next_forget.append(RetryAfter(1.0, "answered 503"))
    lane_setup.run()
    assert _states(lane_setup) == [("open", None)]

    lane_setup.now += 2 * SECOND
    lane_setup.run()

    assert [asked for asked, _, _ in lane_setup.destination.forgotten] == [ASKED, ASKED]
    assert _states(lane_setup) == [("done", None)]


def test_refused_keys_pause_the_connection_and_keep_the_request(lane_setup: LaneSetup):
    _enqueue(lane_setup)
    lane_setup.destination.next_forget.append(ConnectionBroken("the credentials were refused (401)"))

    assert lane_setup.run().stopped == "paused"
    assert lane_setup.run().stopped == "empty"
    with writing(lane_setup.engine) as conn:
        resume_connection(conn, lane_setup.connection.id, lane_setup.now)
    lane_setup.run()

    assert _states(lane_setup) == [("done", None)]


@pytest.mark.on_both_databases
def test_what_the_platform_rejects_is_said_in_the_regulations_row_and_is_not_replayed(lane_setup: LaneSetup):
    _enqueue(lane_setup)
    lane_setup.destination.next_forget.append(Rejected("refused", "is odd"))
    lane_setup.run()

    assert _states(lane_setup) == [("failed", "refused")]
    with writing(lane_setup.engine) as conn:
        assert not replay_delivery(conn, _progress(lane_setup)[0].delivery_id or 0, lane_setup.now)


def test_it_leaves_after_everything_that_is_open_for_the_person_and_before_what_comes_later(lane_setup: LaneSetup):
    first = lane_setup.add(kind="profile", name=None, priority=BACKFILL_PRIORITY)
    _enqueue(lane_setup)
    later = lane_setup.add()

    lane_setup.run()

    assert lane_setup.destination.sent_ids == [first, later]
    assert [sends for _, _, sends in lane_setup.destination.forgotten] == [1]


@pytest.mark.on_both_databases
def test_the_persons_next_message_begins_with_a_profile_again(lane_setup: LaneSetup):
    lane_setup.add(kind="profile", name=None)
    lane_setup.run()
    lane_setup.add(kind="profile", name=None)
    _enqueue(lane_setup)
    lane_setup.run()

    with reading(lane_setup.engine) as conn:
        assert conn.execute(select(core.ProfileSent.person_id)).all() == []


def test_the_same_regulation_asks_each_connection_once(lane_setup: LaneSetup):
    with writing(lane_setup.engine) as conn:
        add_connection(conn, lane_setup.connection.store_id, label="second")
    _enqueue(lane_setup)
    _enqueue(lane_setup)

    assert [one.state for one in _progress(lane_setup)] == ["open", "open"]
    lane_setup.run()
    assert len(lane_setup.destination.forgotten) == 1


@pytest.mark.on_both_databases
def test_a_platform_that_cannot_forget_is_recorded_as_such(lane_setup: LaneSetup, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(DESTINATIONS["customerio"], "forget_modes", ())
    _enqueue(lane_setup)
    _enqueue(lane_setup)

    assert _states(lane_setup) == [("unsupported", "cannot_forget")]
    assert lane_setup.statuses() == []


def test_a_request_that_the_platform_can_no_longer_fulfil_fails(lane_setup: LaneSetup, monkeypatch: pytest.MonkeyPatch):
    _enqueue(lane_setup)
    monkeypatch.setattr(lane_setup.destination, "forget_modes", ("delete",))
    lane_setup.run()

    assert _states(lane_setup) == [("failed", "cannot_forget")]


@pytest.mark.on_both_databases
def test_another_workspace_behind_the_connection_is_not_taken_for_the_one_that_was_to_forget(lane_setup: LaneSetup):
    _enqueue(lane_setup)
    with writing(lane_setup.engine) as conn:
        conn.execute(update(core.StoreConnection).values(account="env-2"))
    lane_setup.run()

    assert _states(lane_setup) == [("failed", "another_account")]


def test_a_failure_before_the_request_stops_it_too(lane_setup: LaneSetup):
    lane_setup.add()
    _enqueue(lane_setup)
    lane_setup.destination.next.append(always(RetryAfter(5.0, "answered 503"), 503))

    assert lane_setup.run().stopped == "waiting"
    assert lane_setup.destination.forgotten == []
    assert lane_setup.statuses() == ["pending", "pending"]


@pytest.mark.on_both_databases
def test_the_calls_name_the_messages_that_they_carried(lane_setup: LaneSetup):
    before = lane_setup.add(2)
    _enqueue(lane_setup)
    after = lane_setup.add()
    lane_setup.run()

    request = _progress(lane_setup)[0].delivery_id
    with reading(lane_setup.engine) as conn:
        calls = list_calls(conn, [*before, request or 0, *after])
    assert [list(call.delivery_ids) for call in calls] == [before, [request], after]


def test_a_profile_recorded_for_another_person_stays_known(lane_setup: LaneSetup):
    with writing(lane_setup.engine) as conn:
        row = {"connection_id": lane_setup.connection.id, "person_id": lane_setup.people[1]}
        conn.execute(insert(core.ProfileSent).values(row))
    _enqueue(lane_setup)
    lane_setup.run()

    with reading(lane_setup.engine) as conn:
        assert conn.execute(select(core.ProfileSent.person_id)).scalars().all() == [lane_setup.people[1]]

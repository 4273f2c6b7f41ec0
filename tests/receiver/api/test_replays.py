"""Sending again by a token: counted, begun, stopped."""

from __future__ import annotations

import pytest

from pipeline.ledger.engine import writing
from pipeline.ledger.schema.audit import AuditEntry
from pipeline.ledger.schema.core import Account, Delivery


@pytest.fixture
def caller(filled):
    """A token that may send again; two messages of acme were refused."""
    with writing(filled.engine) as conn:
        first = filled.ids(Delivery)[:2]
        refused = {"status": "dead", "done_at": filled.clock[0] - 1, "reason": "invalid"}
        conn.execute(Delivery.__table__.update().where(Delivery.id.in_(first)).values(**refused))
    return filled.caller("read", "replay")


def test_a_replay_is_counted_begun_and_stopped(filled, caller):
    made = caller.post("/replays", {"shop": "acme", "kind": "refused"})
    replay = made.get_json()
    assert (made.status_code, replay["state"], replay["counts"]["messages"]) == (201, "counted", 2)

    assert caller.post(f"/replays/{replay['id']}/start").get_json()["state"] == "running"
    assert caller.post(f"/replays/{replay['id']}/start").status_code == 409
    assert caller.post(f"/replays/{replay['id']}/stop").get_json()["state"] == "stopping"
    assert [row["id"] for row in caller.get("/replays?shop=acme").get_json()["items"]] == [replay["id"]]
    assert [(row.action, row.token_id) for row in filled.installed.rows(AuditEntry)[1:]] == [
        ("replay.started", 1),
        ("replay.stopped", 1),
    ]


def test_a_replay_that_was_only_counted_is_discarded(caller):
    replay = caller.post("/replays", {"shop": "acme", "kind": "filter", "name": "order_new"}).get_json()

    assert replay["counts"]["events"] == 5
    assert caller.post(f"/replays/{replay['id']}/discard").get_json()["state"] == "discarded"
    assert caller.post(f"/replays/{replay['id']}/start").status_code == 409


def test_a_replay_of_another_account_is_not_there(filled, caller):
    other = filled.caller(account=[row.name for row in filled.installed.rows(Account)][-1])
    replay = other.post("/replays", {"shop": "eves", "kind": "refused"}).get_json()["id"]

    assert caller.post("/replays", {"shop": "eves", "kind": "refused"}).status_code == 404
    assert caller.get(f"/replays/{replay}").status_code == 404
    assert {caller.post(f"/replays/{replay}/{action}").status_code for action in ("start", "stop", "discard")} == {404}

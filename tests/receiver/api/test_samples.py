"""Samples, saved and deleted by a token."""

from __future__ import annotations

from pipeline.ledger.schema.audit import AuditEntry


def test_a_sample_is_saved_without_personal_details_and_deleted(filled, foreign):
    caller = filled.caller("read", "replay")
    event = caller.get("/events").get_json()["items"][0]["id"]
    made = caller.post("/samples", {"event": event, "name": "an order"})
    sample = made.get_json()

    assert (made.status_code, sample["event"], "bea.buyer" in made.text) == (201, "order_new", False)
    assert [row["id"] for row in caller.get("/samples?shop=acme").get_json()["items"]] == [sample["id"]]
    assert caller.post("/samples", {"event": str(foreign["event"]), "name": "x"}).status_code == 404
    assert caller.post(f"/samples/{sample['id']}/delete").status_code == 200
    assert caller.get(f"/samples/{sample['id']}").status_code == 404
    assert [row.action for row in filled.installed.rows(AuditEntry)[1:]] == ["sample.saved", "sample.deleted"]

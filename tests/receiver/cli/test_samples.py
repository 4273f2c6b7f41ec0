"""`cratewire events sample` and `cratewire search`."""

from __future__ import annotations

from pipeline.ledger import samples
from pipeline.ledger.schema.audit import AuditEntry
from tests.installation import order_hook


def test_a_sample_is_saved_listed_shown_and_deleted(shell, installed, track):
    installed.connect(track.config)
    installed.record(order_hook(1))

    saved = shell.json("events", "sample", "save", "1", "--name", "an order")

    assert [row["name"] for row in shell.json("events", "sample", "list")] == ["an order"]
    assert "an order" in shell.said("events", "sample", "list")
    assert shell.json("events", "sample", "show", str(saved["id"]))["event"] == "order_new"
    assert "Deleted" in shell.said("events", "sample", "delete", str(saved["id"]))
    assert "no sample" in shell.complaint("events", "sample", "show", str(saved["id"]))
    assert [row.action for row in installed.rows(AuditEntry)][-2:] == ["sample.saved", "sample.deleted"]


def test_one_sample_too_many_is_refused_and_one_of_the_same_name_replaced(shell, installed, track, monkeypatch):
    monkeypatch.setattr(samples, "MAX_LISTED", 1)
    installed.connect(track.config)
    installed.record(order_hook(1))
    first = shell.json("events", "sample", "save", "1", "--name", "an order")

    assert "has 1 samples already" in shell.complaint("events", "sample", "save", "1", "--name", "another")
    assert shell.json("events", "sample", "save", "1", "--name", " an  order ") == first


def test_an_order_is_found_by_its_number(shell, installed, track):
    installed.connect(track.config)
    installed.record(order_hook(1))

    found = shell.json("search", "order 1")

    assert found["event_ids"] == [1]
    assert "number of an order" in shell.said("search", "order 1")
    assert "Nothing is found." in shell.said("search", "simunek")
    assert "no store" in shell.complaint("search", "x", "--store", "nope")

"""Tracking of no box by a token: listed, attached to a box, dismissed."""

from __future__ import annotations

from pipeline.core.fulfilment import Package
from pipeline.ledger.engine import writing
from pipeline.ledger.fulfilment.quarantine import quarantine_packages
from pipeline.ledger.schema.fulfilment import FulfilmentPackage, QuarantinedTracking
from tests.receiver.api.test_orders import ACME, EVES, add_box, packed  # noqa: F401 - a fixture
from tests.receiver.api.test_resources import items, list_audited

URL = "https://example.com/1Z7"


def keep_apart(api):
    """Acme has two parcels of no box and a box that is at the warehouse; eve has a parcel."""
    with writing(api.engine) as conn:
        for store_id, number in ((ACME, "1Z7"), (ACME, "1Z8"), (EVES, "1Z9")):
            parcel = Package(number, "UPS", url=URL)
            quarantine_packages(conn, store_id, "SUB-77", [parcel], api.clock[0], is_complete=True)
        add_box(conn, ACME, 5, "at_warehouse", now=api.clock[0], external_id="W-5")


def test_tracking_of_no_box_is_listed_page_by_page_without_that_of_others(packed):  # noqa: F811
    keep_apart(packed)
    caller = packed.caller("read", "read-people")
    first = caller.get("/tracking?limit=1").get_json()
    second = caller.get(f"/tracking?limit=1&cursor={first['next_cursor']}").get_json()
    found = [row["tracking_number"] for row in (*first["items"], *second["items"])]

    assert (found, second["next_cursor"]) == (["1Z7", "1Z8"], None)


def test_a_tracking_number_needs_its_own_scope(packed):  # noqa: F811
    keep_apart(packed)
    text = "".join(packed.caller("read").get(path).text for path in ("/tracking", "/tracking/1"))

    assert ("1Z7" in text, URL in text, "SUB-77" in text) == (False, False, True)


def test_tracking_is_attached_to_a_box_once_and_recorded(packed):  # noqa: F811
    keep_apart(packed)
    caller = packed.caller("read", "replay")
    answers = [caller.post("/tracking/1/attach", {"order_number": number}) for number in ("SUB-9", "sub-5", "SUB-5")]

    assert [answer.status_code for answer in answers] == [409, 200, 409]
    assert (answers[1].get_json()["order_number"], answers[1].get_json()["state"]) == ("SUB-5", "shipped")
    assert caller.get("/tracking/1").get_json()["outcome"] == "attached"
    assert list_audited(packed, "tracking.attached") == [("api", 1, {"order": 6, "shipment": 5})]


def test_tracking_is_dismissed_once_and_recorded(packed):  # noqa: F811
    keep_apart(packed)
    caller = packed.caller("read", "replay")
    answers = [caller.post("/tracking/1/dismiss") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[0].get_json()["outcome"] == "dismissed"
    assert [row["id"] for row in items(caller.get("/tracking?shop=acme"))] == ["2"]
    assert list_audited(packed, "tracking.dismissed") == [("api", 1, {"tracking": 1})]


def test_tracking_of_another_account_is_not_there(packed):  # noqa: F811
    keep_apart(packed)
    caller, number = packed.caller(), {"order_number": "SUB-5"}
    paths = [("GET", "/tracking/3"), ("GET", "/tracking?shop=eves"), ("POST", "/tracking/3/dismiss")]
    answers = [caller.call(*path) for path in paths] + [caller.post("/tracking/3/attach", number)]
    theirs_to_ours = caller.post("/tracking/1/attach", {"order_number": "SUB-9"})

    assert [answer.status_code for answer in answers] == [404] * 4
    assert theirs_to_ours.status_code == 409  # eve's box is none of this shop
    assert {row.outcome for row in packed.installed.rows(QuarantinedTracking)} == {None}
    assert [row.tracking_number for row in packed.installed.rows(FulfilmentPackage)] == ["1Z999"]

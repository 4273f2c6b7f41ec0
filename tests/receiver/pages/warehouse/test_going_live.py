"""The report of the dry run, its acceptance, and the pause."""

from __future__ import annotations

import pytest

from pipeline.core.fulfilment import State
from pipeline.fulfilment.steps.pull import get_job
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.runs import begin_run, end_run
from pipeline.ledger.fulfilment.warehouses import UNUSUAL, get_warehouse, pause_warehouse
from tests.builders import NOW
from tests.receiver.pages.warehouse.conftest import OPERATORS, READERS, WAREHOUSE, add_box

GO_LIVE = f"{WAREHOUSE}/go-live"


@pytest.fixture
def found(pages, store_id, connected):
    """The owner on the page of a warehouse whose first pass has ended: one box would go, one is held."""
    with writing(pages.site.engine) as conn:
        add_box(conn, store_id, 1, State.READY)
        add_box(conn, store_id, 2, State.HELD, "unpaid")
        for kind in ("ecom", "adhoc", "standard"):
            run = begin_run(conn, store_id, get_job(kind), NOW, is_full=True)
            end_run(conn, run, NOW, pages=1, rows=1)
    connected.go(WAREHOUSE)
    return connected


def row_of(pages, store_id):
    with reading(pages.site.engine) as conn:
        return get_warehouse(conn, store_id)


def test_a_report_that_is_not_whole_cannot_be_accepted(pages, store_id, connected):
    connected.go(WAREHOUSE)

    assert "Still being read: one-off orders, ad-hoc subscriptions, standard subscriptions." in connected.text
    assert "Accept and go live" not in connected.text


def test_the_report_counts_by_kind_and_reason_and_names_the_boxes_that_would_go(found):
    assert "An order behind the box is not paid." in found.text
    assert "1 ad-hoc subscription" in found.text
    assert "1 ad-hoc subscriptions" not in found.text
    assert "1 would go" in found.text
    assert "SUB-1 2 x BOX" in found.text
    assert "SUB-2" not in found.text


def test_the_report_is_accepted_by_a_person(pages, store_id, found):
    found.send(GO_LIVE, accepted="1", only_owner="yes")
    row = row_of(pages, store_id)

    assert "Live: boxes go to the warehouse from now on." in found.text
    assert (row.mode, row.accepted_by, row.accepted_at) == ("live", 1, NOW)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"accepted": "1"}, "first confirm that nothing else sends this shop's boxes"),
        ({"accepted": "7", "only_owner": "yes"}, "1 boxes would go, and 7 were accepted: read the report again."),
        ({"only_owner": "yes"}, "read the report again."),
    ],
)
def test_nothing_goes_live_that_was_not_accepted_as_it_is(pages, store_id, found, fields, said):
    found.send(GO_LIVE, **fields)

    assert said in found.text
    assert row_of(pages, store_id).mode == "dry_run"


@pytest.mark.parametrize("email", [READERS, OPERATORS])
def test_only_an_owner_accepts(pages, store_id, found, email):
    other = pages.logged_in(email)
    page = other.go(WAREHOUSE)
    other.go("/account")  # a page with a form
    other.send(GO_LIVE, accepted="1", only_owner="yes")

    assert ("Accept and go live" in page, other.status, row_of(pages, store_id).mode) == (False, 403, "dry_run")


def test_an_operator_pauses_and_resumes(pages, store_id, connected):
    operator = pages.logged_in(OPERATORS)
    operator.go(WAREHOUSE)
    operator.send(f"{WAREHOUSE}/pause")
    paused = row_of(pages, store_id).status_reason
    said = operator.text
    operator.send(f"{WAREHOUSE}/resume")

    assert ("paused by hand" in said, paused) == (True, "paused by hand")
    assert (row_of(pages, store_id).status, "Resumed." in operator.text) == ("active", True)


def test_an_unusual_number_of_boxes_is_let_pass_by_a_person(pages, store_id, connected):
    with writing(pages.site.engine) as conn:
        pause_warehouse(conn, store_id, f"{UNUSUAL}: 900 boxes of a day would go", NOW)
    connected.go(WAREHOUSE)
    asked = "Let them pass and resume" in connected.text
    connected.send(f"{WAREHOUSE}/resume")

    assert (asked, row_of(pages, store_id).volume_passed_at) == (True, NOW)


def test_without_a_warehouse_nothing_is_paused(visitor):
    visitor.go("/account")  # a page with a form
    visitor.send(f"{WAREHOUSE}/pause")

    assert "The store has no warehouse" in visitor.text

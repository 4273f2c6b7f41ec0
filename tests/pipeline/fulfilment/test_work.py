"""Work that people ask for, as a worker does it in turns: a forecast, a freeze, an export and an import."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.fulfilment.exports import Wanted, open_file_site
from pipeline.fulfilment.steps.export import hand_out
from pipeline.fulfilment.work import (
    find_earlier_import,
    preview_work,
    request_export,
    request_forecast,
    request_freeze,
    request_import,
    take_in_file,
)
from pipeline.fulfilment.work_turns import GAVE_UP, MAX_ATTEMPTS, RETRY_US, take_turn
from pipeline.ledger.audit import Actor
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.batches import list_batches, list_frozen
from pipeline.ledger.fulfilment.exports import insert_export, list_exported, list_exports
from pipeline.ledger.fulfilment.warehouses import pause_warehouse
from pipeline.ledger.fulfilment.work import (
    ROWS_KEPT_US,
    begin_turn,
    find_work,
    list_due_work,
    load_rows,
    save_work,
    tidy_work,
)
from pipeline.warehouses.spreadsheet.references import make_reference
from tests.pipeline.fulfilment.bridge import DAY, Bridge
from tests.pipeline.fulfilment.test_spreadsheet import Seller, file

PERSON = Actor("page", user_id=7)


class Desk:
    """A person who asks for work, and the workers that do it."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge, self.seller = bridge, Seller(bridge)
        self.at = bridge.context, bridge.store_id

    def sell(self) -> int:
        """A box that is ready to go."""
        return self.seller.sell()

    def sell_ahead(self) -> int:
        """A box of a batch that ends some weeks later."""
        return self.seller.sell(billing="standard", target=self.bridge.iso(3 * DAY))

    def batch_id(self) -> int:
        with reading(self.bridge.engine) as conn:
            return list_batches(conn, self.bridge.store_id)[0].batch_id

    def upload(self, *rows):
        return take_in_file(*self.at, file(rows, ("Order ID", "Tracking Number")), PERSON)

    def look(self, work):
        with reading(self.bridge.engine) as conn:
            return find_work(conn, self.bridge.store_id, work.id)

    def do(self, work, *, turns: int = 5):
        """Let workers do what is due; returns the work as it is then."""
        for _ in range(turns):
            take_turn(*self.at, work.id)
        return self.look(work)

    def exported(self):
        """The order numbers of each export."""
        with reading(self.bridge.engine) as conn:
            exports = list_exports(conn, self.bridge.store_id)
            return [sorted(row.order_number for row in list_exported(conn, one.id, list(_EVERY))) for one in exports]


_EVERY = ("at_warehouse", "shipped", "confirmed", "cancelled", "ready", "cancel_refused")


@pytest.fixture
def desk(make_bridge) -> Desk:
    bridge = make_bridge("spreadsheet")
    bridge.go_live()
    return Desk(bridge)


def test_a_forecast_and_a_freeze_are_done_by_a_worker_and_named_after_who_asked(desk):
    desk.sell_ahead()
    forecast = desk.do(request_forecast(*desk.at, None, PERSON))
    frozen = desk.do(request_freeze(*desk.at, desk.batch_id(), PERSON))
    with reading(desk.bridge.engine) as conn:
        (row,) = list_frozen(conn, desk.bridge.store_id)

    assert (forecast.state, forecast.result["expected"]["total"]["likely"]) == ("done", 1)
    assert (frozen.state, frozen.result, row.user_id) == ("done", {"boxes": 1, "waves": 1}, 7)
    with pytest.raises(Misconfigured, match="frozen already"):
        request_freeze(*desk.at, desk.batch_id(), PERSON)


def test_what_is_asked_for_twice_is_one_piece_of_work(desk):
    desk.sell()
    first, second = (request_export(*desk.at, Wanted(), PERSON) for _ in range(2))

    assert first.id == second.id
    assert desk.do(first).result["boxes"] == 1
    with pytest.raises(Misconfigured, match="no box is ready"):
        request_export(*desk.at, Wanted(), PERSON)


def test_an_export_goes_on_where_a_killed_worker_left_it_and_hands_no_box_out_twice(desk):
    boxes = [desk.bridge.box(desk.sell()) for _ in range(3)]
    work = request_export(*desk.at, Wanted(), PERSON)
    with writing(desk.bridge.engine) as conn:  # what a worker leaves that is killed right after it handed a box out
        begin_turn(conn, desk.bridge.store_id, work.id, desk.bridge.clock(), RETRY_US)
        export_id = insert_export(conn, desk.bridge.store_id, 7, desk.bridge.clock())
        save_work(conn, work.id, result={"export": export_id, "left_out": {}}, total=3)
    hand_out(open_file_site(*desk.at), [boxes[0].id], export_id)

    assert take_turn(*desk.at, work.id).resume_in_s is None
    assert desk.look(work).state == "running"
    desk.bridge.skip(RETRY_US / 1_000_000)
    done = desk.do(work)
    assert (done.state, done.done, done.result["boxes"]) == ("done", 3, 3)
    assert desk.exported() == [sorted(box.order_number for box in boxes)]


def test_a_freeze_waits_for_the_budget_of_requests_and_goes_on(desk):
    desk.sell_ahead()
    desk.bridge.skip(2 * 3_600)
    work = request_freeze(*desk.at, desk.batch_id(), PERSON)
    slow = replace(desk.bridge.context, settings=replace(desk.bridge.context.settings, cratejoy_rate=0.001))
    waits = [take_turn(slow, desk.bridge.store_id, work.id).resume_in_s for _ in range(3)]

    assert any(wait is not None and wait > 1 for wait in waits)
    assert desk.look(work).state == "running"
    desk.bridge.skip(3_600)
    assert desk.do(work).state == "done"


def test_what_a_pause_stops_says_so_and_its_boxes_are_in_its_file(desk):
    first, second = desk.sell(), desk.sell()
    work = request_export(*desk.at, Wanted(), PERSON)
    with writing(desk.bridge.engine) as conn:
        export_id = insert_export(conn, desk.bridge.store_id, 7, desk.bridge.clock())
        save_work(conn, work.id, result={"export": export_id, "left_out": {}}, total=2)
    hand_out(open_file_site(*desk.at), [desk.bridge.box(first).id], export_id)
    with writing(desk.bridge.engine) as conn:
        pause_warehouse(conn, desk.bridge.store_id, "for lunch", desk.bridge.clock())

    failed = desk.do(work)
    assert (failed.state, failed.reason, failed.result["boxes"]) == ("failed", "the warehouse is paused: for lunch", 1)
    assert desk.bridge.state(second) == "ready"


def test_work_that_never_comes_to_an_end_fails_and_says_so(desk):
    desk.sell_ahead()
    work = request_forecast(*desk.at, None, PERSON)
    with writing(desk.bridge.engine) as conn:
        save_work(conn, work.id, attempts=MAX_ATTEMPTS)

    assert (desk.do(work).state, desk.look(work).reason) == ("failed", GAVE_UP)


def test_an_import_writes_nothing_before_a_person_confirms_it_and_then_each_match_once(desk):
    box = desk.bridge.box(desk.sell())
    desk.do(request_export(*desk.at, Wanted(), PERSON))
    row = (make_reference(box.order_number), "9400100000000000000123")
    work = desk.upload(row, ("CW-SUB-1-XXX", "9400100000000000000124"))
    with reading(desk.bridge.engine) as conn:
        before, due = preview_work(conn, work), list_due_work(conn, desk.bridge.clock())
    assert (before.counts["match"], before.counts["unknown"] + before.counts["unreadable"], due) == (1, 1, [])
    assert desk.do(work).state == "previewed"

    done = desk.do(request_import(*desk.at, work.id, PERSON))
    assert (done.state, done.result["written"], done.result["for_people"]) == ("done", 1, 0)
    again = desk.upload(row, ("CW-SUB-1-XXX", "9400100000000000000124"))
    with reading(desk.bridge.engine) as conn:
        assert find_earlier_import(conn, again).id == work.id
        assert preview_work(conn, again).counts["already_there"] == 1
    assert desk.do(request_import(*desk.at, again.id, PERSON)).result["written"] == 0


def test_a_turn_brings_work_further_however_slow_the_machine_is(desk):
    box = desk.bridge.box(desk.sell())
    minutes = count(desk.bridge.clock(), 60_000_000)
    slow = replace(desk.bridge.context, now=lambda: next(minutes))
    export = request_export(*desk.at, Wanted(), PERSON)
    take_turn(slow, desk.bridge.store_id, export.id)
    written = request_import(
        *desk.at, desk.upload((make_reference(box.order_number), "9400100000000000000123")).id, PERSON
    )
    take_turn(slow, desk.bridge.store_id, written.id)

    assert [desk.look(one).state for one in (export, written)] == ["done", "done"]


def test_the_rows_of_a_file_are_forgotten_after_a_week(desk):
    box = desk.bridge.box(desk.sell())
    desk.do(request_export(*desk.at, Wanted(), PERSON))
    done = desk.upload((make_reference(box.order_number), "9400100000000000000123"))
    desk.do(request_import(*desk.at, done.id, PERSON))
    left = desk.upload((make_reference(box.order_number), "9400100000000000000125"))

    desk.bridge.skip(ROWS_KEPT_US / 1_000_000)
    with writing(desk.bridge.engine) as conn:
        tidy_work(conn, desk.bridge.clock())
        kept = SimpleNamespace(rows=load_rows(conn, done.id), preview=preview_work(conn, done))
    assert (kept.rows, kept.preview, desk.look(left)) == (None, None, None)
    assert desk.look(done).result["written"] == 1

"""What a backfill adds to the figures: what it has written, once, however often it was tried."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from pipeline.backfill import run
from pipeline.core.errors import RateLimited
from pipeline.cratejoy.factory import open_store_client
from pipeline.infra.metrics import REGISTRY


class Figures:
    """How much has been counted since it was made."""

    def __init__(self):
        self._before = {}
        self._before = {name: self[name] for name in ("pages", "people", "throttled", "budget")}

    def __getitem__(self, name):
        if name in {"throttled", "budget"}:
            value = REGISTRY.get_sample_value("cratewire_backfill_wait_seconds_total", {"reason": name})
        else:
            value = REGISTRY.get_sample_value(f"cratewire_backfill_{name}_total")
        return (value or 0.0) - self._before.get(name, 0.0)


@pytest.fixture
def figures():
    return Figures()


def test_pages_and_people_are_counted(backfill, figures):
    customers = backfill.shop.people(12)
    backfill.start()
    row = backfill.run()

    assert (figures["pages"], figures["people"]) == (row.pages, len(customers))


def test_a_page_two_have_read_counts_once(backfill, figures):
    backfill.shop.people(12)
    backfill.start()
    rivals = []

    class Slow:
        def page(self, *asked, **how):
            read = open_store_client(backfill.context, backfill.store_id).page(*asked, **how)
            if len(rivals) < 5:
                rivals.append(None)
                backfill.redis.flushall()
                backfill.run()
            return read

    backfill.step(open_api=lambda *_: Slow())

    assert (figures["pages"], figures["people"]) == (backfill.row().pages, 12)


def test_a_page_that_was_not_committed_is_not_counted(backfill, figures, monkeypatch):
    backfill.shop.people(3)
    backfill.start()
    real, deaths = run.write_page, iter(range(2))

    def dying(*arguments):
        changes = real(*arguments)
        if next(deaths, None) is not None:
            raise OperationalError("the process is gone", None, Exception())
        return changes

    monkeypatch.setattr(run, "write_page", dying)
    for _ in range(2):
        with pytest.raises(OperationalError):
            backfill.step()
    backfill.run()

    assert (figures["pages"], figures["people"]) == (backfill.row().pages, 3)


@pytest.mark.parametrize(("throttled", "reason"), [(True, "throttled"), (False, "budget")])
def test_waiting_is_counted_by_its_reason(backfill, figures, throttled, reason):
    backfill.start()

    class UsedUp:
        def page(self, *_, **__):
            raise RateLimited(2.5, "used up", throttled=throttled)

    backfill.step(open_api=lambda *_: UsedUp())

    row = backfill.row()
    waited = row.throttled_us + row.waited_us
    assert figures[reason] == pytest.approx(waited / 1_000_000) == pytest.approx(2.5)

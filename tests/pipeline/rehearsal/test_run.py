"""What a rehearsal shows is what then happens, and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import update

from bench.hooks import make_hooks
from pipeline.core.errors import Misconfigured
from pipeline.ledger.connections import set_connection_mapping
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.mapping.rules import ConnectionMapping, format_mapping
from pipeline.rehearsal.change import RehearsedChange
from pipeline.rehearsal.side_process import find_version
from tests.builders import HOUR, NOW
from tests.pipeline.rehearsal.conftest import CONNECTION

pytestmark = pytest.mark.slow

RENAMED = ConnectionMapping({"order_new": "Placed Order", "transaction_new": None}, {"order_count": "orders"})

KEEP_COUNT = RehearsedChange({CONNECTION: format_mapping(ConnectionMapping({}, {"order_count": None}))})


def count_kinds(report):
    counts = Counter()
    for group in report.groups:
        counts[group.change, group.kind, group.event] += group.count
    return counts


def test_without_a_change_nothing_differs_and_nothing_is_left(recorded):
    before = recorded.dump()

    report = recorded.report()

    assert (report.hooks, report.differences, report.groups) == (60, 0, [])
    assert report.messages_before == report.messages_after > 60
    assert recorded.dump() == before
    assert list((recorded.data_dir / "rehearsals").iterdir()) == []


def test_a_changed_mapping_is_shown_by_event_and_field(recorded):
    report = recorded.report(RehearsedChange({CONNECTION: format_mapping(RENAMED)}))

    kinds = count_kinds(report)
    sent = [row for row in recorded.dump()["deliveries"] if row.kind == "event"]
    names = Counter(row.name for row in sent)
    assert kinds["changed", "event", "order_new"] == names["order_new"]
    assert kinds["gone", "event", "transaction_new"] == names["transaction_new"]
    assert {tuple(group.fields) for group in report.groups if group.kind == "event"} == {("name",), ()}
    assert all("data.orders" in group.fields for group in report.groups if group.kind == "profile")


def test_what_it_shows_is_what_then_happens(recorded, empty_twin):
    """The twin gets the same hooks with the change switched on before."""
    change = RehearsedChange({CONNECTION: format_mapping(RENAMED)}, {"gift_recipients": "withhold"})
    report = recorded.report(change)
    with writing(empty_twin.engine) as conn:
        set_connection_mapping(conn, CONNECTION, format_mapping(RENAMED))
        conn.execute(update(core.Store).values(gift_recipients="withhold"))
    empty_twin.receive([(hook.event, hook.body) for hook in make_hooks(60, seed=3)])

    then = empty_twin.report(RehearsedChange({CONNECTION: None}, {"gift_recipients": "profile"}))

    opposite = {"new": "gone", "gone": "new", "changed": "changed"}
    turned = {(opposite[change], kind, event): count for (change, kind, event), count in count_kinds(then).items()}
    assert turned == count_kinds(report)
    assert then.messages_before == report.messages_after
    assert len(empty_twin.dump()["deliveries"]) == report.messages_after


def test_another_platform_gets_everything_and_the_first_stays_as_it_is(recorded):
    report = recorded.report(RehearsedChange(platform="klaviyo"))

    assert {(group.connection, group.change) for group in report.groups} == {(CONNECTION + 1, "new")}
    assert report.differences == report.messages_before
    assert report.messages_after == 2 * report.messages_before
    assert report.unsendable == {}


def test_people_known_before_the_period_are_there(recorded):
    late = NOW + 40 * HOUR
    known = {row.email for row in recorded.dump()["people"] if row.created_at < late}

    with recorded.rehearse(KEEP_COUNT, since=late) as (report, differences):
        counts = {one.person: one.detail["data.order_count"][0] for one in differences if one.kind == "profile"}

    assert report.hooks == 20
    assert known
    assert max(counts.values()) > 1


def test_hooks_without_bytes_run_from_what_was_read_of_them_and_unreadable_ones_stay_unreadable(recorded):
    with writing(recorded.engine) as conn:
        conn.execute(core.Body.__table__.delete())
    recorded.receive([("order_new", b"{"), ("order_new", b'"[]"')], first=100)

    report = recorded.report(RehearsedChange(platform="segment"))

    assert (report.hooks, report.from_data) == (62, 60)
    assert report.differences == report.messages_before > 60


@pytest.mark.parametrize(
    ("change", "message"),
    [({"platform": "pigeon"}, "no platform pigeon"), ({"store": {"name": "other"}}, "name: a rehearsal can change")],
)
def test_a_change_that_makes_no_sense_is_refused(recorded, change, message):
    with pytest.raises(Misconfigured, match=message):
        recorded.report(RehearsedChange(**change))


def test_a_run_that_dies_is_named_and_leaves_no_file(recorded, tmp_path):
    broken = tmp_path / "broken" / "pipeline" / "rehearsal"
    broken.mkdir(parents=True)
    for folder in (broken, broken.parent):
        (folder / "__init__.py").touch()
    (broken / "side.py").write_text("raise RuntimeError('a secret of someone')")
    with pytest.raises(Misconfigured, match="has ended: RuntimeError") as caught:
        recorded.report(version=find_version(tmp_path / "broken"))

    assert "secret" not in str(caught.value)
    assert list((recorded.data_dir / "rehearsals").iterdir()) == []

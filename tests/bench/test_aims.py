"""The table of aims says what was measured, what was not, and what misses its aim."""

from __future__ import annotations

from bench.aims import AIMS, list_aims

ROUND = {"per_second": 100.0, "cpu_ms": 1.0}
FAST, SLOW = {"per_second": 400.0, "cpu_ms": 0.25}, {"per_second": 50.0, "cpu_ms": 2.0}


def rows(found):
    return {line.split("|")[1].strip(): line.split("|")[2:5] for line in list(list_aims(found))[2:]}


def row(measure, found):
    return [cell.strip() for cell in rows(found)[measure]]


def test_without_figures_nothing_is_measured():
    assert {measured.strip() for _, measured, _ in rows({}).values()} == {"not measured"}
    assert len(rows({})) == len(AIMS)


def test_a_figure_that_keeps_its_bound_is_met():
    assert row("memory at rest, one store (PSS)", {"rest": {"pss": 250.0}}) == ["at most 250 MB", "250 MB", "yes"]


def test_a_figure_beyond_its_bound_is_not_met():
    assert row("memory at rest, one store (PSS)", {"rest": {"pss": 437.2}}) == ["at most 250 MB", "437 MB", "no"]


def test_systems_are_compared_round_by_round():
    found = {"delivery": {"ours": [ROUND, FAST], "node_with_ledger": [SLOW, SLOW]}}

    assert row("hooks per second, of (e)'s", found) == ["at least 3 times", "5 times", "yes"]
    assert row("CPU for a hook, of (e)'s", found) == ["at most 0.35 times", "0.312 times", "yes"]


def test_the_slower_of_two_systems_misses_its_aim():
    found = {"delivery": {"ours": [SLOW], "node": [FAST]}}

    assert row("hooks per second, of (d)'s", found)[2] == "no"


def test_an_event_that_arrives_twice_counts_as_one_that_did_not_arrive():
    measure = "2,000 hooks at 60/s within 512 MB: share that arrived, once"

    assert row(measure, {"small": {"events": 10, "arrived": 10, "twice": 0}})[2] == "yes"
    assert row(measure, {"small": {"events": 10, "arrived": 11, "twice": 1}})[1:] == ["0.9", "no"]


def test_the_cost_of_many_stores_is_read_from_figures_and_from_their_file():
    measure = "CPU of a hook in a batch about 250 stores"
    for stores in (250, "250"):
        found = {"growth": {"cpu_ms_per_hook_by_stores_in_a_batch": {stores: [1.0, 1.5, 9.0]}}}
        assert row(measure, found)[1:] == ["1.5 ms", "yes"]


def test_the_cost_of_many_orders_is_the_worst_of_both_databases():
    costs = {
        "sqlite": {"alone": {"5": [2.0, 2.0], "5000": [2.0, 2.2]}},
        "postgresql": {"alone": {5: [2.0], 5000: [3.0]}},
    }
    found = {"large_person": {"record_cpu_ms": costs}}

    assert row("recording for a person with 5,000 orders, of one with 5", found)[1:] == ["1.5 times", "no"]

"""docs/watching.md lists every figure with its labels, and no other."""

from __future__ import annotations

import re

from pipeline.metrics import COUNTED
from receiver.watch.gauges import GAUGES
from tasks import watchdog
from tests.documents.reading import names_in, part_of, tables_of, text_of

PAGE = "docs/watching.md"
FIGURES = tables_of(part_of(text_of(PAGE), "## Figures"))


def listed(table):
    return {names_in([row])[0]: tuple(names_in([row], 1)) for row in table}


def test_everything_that_is_counted_is_listed_with_its_labels():
    suffix = {"counter": "_total", "histogram": ""}
    counted = {
        f"{collector._name}{suffix[collector._type]}": tuple(collector._labelnames)
        for collector in COUNTED._collector_to_names
    }

    assert listed(FIGURES[0]) == counted


def test_everything_that_is_looked_up_is_listed_with_its_labels():
    assert listed(FIGURES[1]) == {name: labels for name, (_, labels) in GAUGES.items()}


def test_the_numbers_of_the_watchdog_are_told_as_they_are():
    told = re.search(r"for (\d+) seconds although .*\((\d+) if", text_of(PAGE))

    assert told is not None
    assert [float(number) for number in told.groups()] == [watchdog.IDLE_LIMIT, watchdog.BUSY_LIMIT]
    assert f"exit code {watchdog.EXIT_CODE}," in " ".join(text_of(PAGE).split())

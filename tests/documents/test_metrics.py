"""docs/metrics.md lists every figure with its labels, and no other."""

from __future__ import annotations

import re

from pipeline.infra.metrics import REGISTRY
from receiver.metrics.collect import GAUGES
from tasks.worker import watchdog
from tests.documents.markdown import get_code_names, get_section, parse_tables, read_document

PAGE = "docs/metrics.md"
FIGURES = parse_tables(get_section(read_document(PAGE), "## Figures"))


def listed(table):
    return {get_code_names([row])[0]: tuple(get_code_names([row], 1)) for row in table}


def test_everything_that_is_counted_is_listed_with_its_labels():
    suffix = {"counter": "_total", "histogram": ""}
    counted = {
        f"{collector._name}{suffix[collector._type]}": tuple(collector._labelnames)
        for collector in REGISTRY._collector_to_names
    }

    assert listed(FIGURES[0]) == counted


def test_everything_that_is_looked_up_is_listed_with_its_labels():
    assert listed(FIGURES[1]) == {name: labels for name, (_, labels) in GAUGES.items()}


def test_the_numbers_of_the_watchdog_are_told_as_they_are():
    told = re.search(r"for (\d+) seconds although .*\((\d+) if", read_document(PAGE))

    assert told is not None
    assert [float(number) for number in told.groups()] == [watchdog.IDLE_LIMIT_S, watchdog.BUSY_LIMIT_S]
    assert f"exit code {watchdog.EXIT_CODE}," in " ".join(read_document(PAGE).split())

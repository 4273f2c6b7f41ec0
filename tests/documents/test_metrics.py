"""docs/metrics.md lists every metric with its labels, and no other."""

from __future__ import annotations

import re

from pipeline.infra.metrics import REGISTRY
from receiver.metrics.collect import GAUGES
from tasks.worker import watchdog
from tests.documents.markdown import ROOT, get_code_names, get_section, parse_tables, read_document

PAGE = "docs/metrics.md"
METRICS = parse_tables(get_section(read_document(PAGE), "## Metrics"))


def listed(table):
    return {get_code_names([row])[0]: tuple(get_code_names([row], 1)) for row in table}


def test_every_counter_and_histogram_is_listed_with_its_labels():
    suffix = {"counter": "_total", "histogram": ""}
    counted = {
        f"{collector._name}{suffix[collector._type]}": tuple(collector._labelnames)
        for collector in REGISTRY._collector_to_names
    }

    assert listed(METRICS[0]) == counted


def test_every_gauge_is_listed_with_its_labels():
    assert listed(METRICS[1]) == {name: labels for name, (_, labels) in GAUGES.items()}


def test_the_page_has_the_numbers_of_the_watchdog():
    documented = re.search(r"for (\d+) seconds although .*\((\d+) if", read_document(PAGE))

    assert documented is not None
    assert [float(number) for number in documented.groups()] == [watchdog.IDLE_LIMIT_S, watchdog.BUSY_LIMIT_S]
    assert f"exit code {watchdog.EXIT_CODE}," in " ".join(read_document(PAGE).split())


def test_every_log_line_of_the_page_is_one_that_the_code_writes():
    [lines] = parse_tables(get_section(read_document(PAGE), "## Logs"))
    source = "\n".join(
        path.read_text() for folder in ("pipeline", "tasks", "receiver") for path in (ROOT / folder).rglob("*.py")
    )

    assert [line for line in get_code_names(lines) if f'"{line}"' not in source] == []

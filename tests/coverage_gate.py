"""Fails when a part that must be tested through and through is not: lines and branches, each part by itself.

Only the tests of these parts, and of what calls them, are counted: a line that a test of something else happens to run
is not tested by it, and counting makes a test's Python half as slow again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

MIN_PERCENT = 95.0

PARTS = {
    "schemas": ["schemas/*"],
    "pipeline, pure": [
        "pipeline/decode/*",
        "pipeline/events/*",
        "pipeline/fan_out/*",
        "pipeline/fulfilment/rules/*",
        "pipeline/redaction/*",
        "pipeline/destinations/*",
        "pipeline/warehouses/*",
        "pipeline/core/backoff.py",
    ],
}

# The folders that mirror these parts, the suite that every destination passes, and the nearest callers.
COUNTED_TESTS = [
    "tests/contracts/",
    "tests/pipeline/delivery/",
    "tests/pipeline/fulfilment/",
    "tests/pipeline/regulations/",
    *(f"tests/{Path(pattern).parent}/" for patterns in PARTS.values() for pattern in patterns),
]


def branches_and_lines(include: list[str]) -> tuple[float, float]:
    """Percent of branches and of lines that the recorded test run went through."""
    recorded = Coverage()
    recorded.load()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        recorded.json_report(include=include, outfile=str(report))
        totals = json.loads(report.read_text())["totals"]
    return (
        _percent(totals["covered_branches"], totals["num_branches"]),
        _percent(totals["covered_lines"], totals["num_statements"]),
    )


def main() -> int:
    """Print a line for each part; 1 if one is below."""
    failed = False
    for part, include in PARTS.items():
        try:
            branches, lines = branches_and_lines(include)
        except NoDataError:
            branches = lines = 0.0
        low = min(branches, lines) < MIN_PERCENT
        failed = failed or low
        print(f"coverage of {part}: branches {branches:.1f} %, lines {lines:.1f} %{' - TOO LOW' if low else ''}")  # noqa: T201  make shows it
    return int(failed)


def _percent(covered: int, of: int) -> float:
    return 100.0 * covered / of if of else 100.0


if __name__ == "__main__":
    sys.exit(main())

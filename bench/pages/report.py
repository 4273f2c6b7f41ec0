"""The figures of the pages as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.pages.measure import MAX_MS

SLOWEST = 12  # addresses that are printed of each database


def report(found: dict[str, Any]) -> Iterator[str]:
    """The slowest addresses of each database, and which of all take longer than we aim at."""
    for database, one in found["ledgers"].items():
        yield f"\nPages on {database}: {one['events']:,} events, {one['people']:,} people, {one['stores']} stores"
        yield f"(filled in {one['filled_s']} s). Median and longest of {found['times']} requests, and CPU, in ms:"
        pages = sorted(one["pages"].items(), key=lambda page: -page[1][1])
        for address, (status, median, longest, cpu) in pages[:SLOWEST]:
            yield f"  {median:7.1f} {longest:7.1f} {cpu:7.1f}  {status} {address}"
        slow = sum(median > MAX_MS for _, (_, median, _, _) in pages)
        yield f"  {len(pages) - slow} of {len(pages)} addresses take at most {MAX_MS:g} ms."
    readers = found.get("readers")
    if readers:
        alone, beside = readers["alone"], readers["beside"]
        yield f"\nAcknowledgement at {readers['per_second']} hooks a second: p99 {alone['p99_ms']} ms alone,"
        yield f"{beside['p99_ms']} ms beside {readers['readers']} readers ({beside['pages']} pages read)."

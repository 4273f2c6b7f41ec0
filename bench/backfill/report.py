"""The figures of a backfill as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def report(found: Mapping[str, Any]) -> Iterator[str]:
    """For a human."""
    script, progress = found["script"], found["progress"]
    yield (
        f"Backfill of {found['customers']} customers, R = {script['rate']:g} requests/s, two workers, "
        f"{script['kills']} kill -9"
    )
    missing, twice, with_events = found["missing"], found["twice"], found["with_events"]
    yield f"  customers without a profile {missing}, with more than one {twice}; with events {with_events}"
    yield f"  pages {found['pages']}, read again {found['read_again']}, in {found['seconds']} s"
    yield (
        f"  requests {found['requests']}, answered 429: {found['refused']} ({found['share_refused']:.2%}), "
        f"inside a Retry-After: {found['inside_retry_after']}"
    )
    yield f"  of R used: {found['share_of_rate']:.1%} (Retry-After counted in: {found['share_of_rate_overall']:.1%})"
    throttled, waited = progress["throttled_seconds"], progress["waited_seconds"]
    yield f"  waited, by its own account: {throttled} s for 429, {waited} s for its rate"
    for name in ("p50", "p95", "max"):
        before, during = found[f"live_{name}_ms"]
        yield f"  a live hook's delay, {name}: {before} ms before, {during} ms during"
    yield "  as promised" if found["whole"] else "  NOT as promised"

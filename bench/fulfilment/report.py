"""The figures of the boxes as lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

HOUR_BOXES = 20_000


def report(found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """For a human."""
    yield "Boxes of one cut-off to a warehouse, read right before at a store that takes 2 requests a second"
    for name, one in found.items():
        minutes = round(60 * HOUR_BOXES / one["per_hour"])
        yield f"  {name}: {one['title']}, whose answers take {one['latency_ms']} ms; {one['database']}"
        yield f"    {one['per_hour']:,} boxes an hour: {one['boxes']} in {one['seconds']} s; 20,000 in {minutes} min"
        yield (
            f"    look-ups at the warehouse {one['look_ups']}; requests to Cratejoy for a box "
            f"{one['cratejoy_requests_per_box']}, refused {one['cratejoy_refused']}"
        )
        yield f"    at the warehouse {one['sent']}, ready {one['left']}; twice {one['twice']}, lost {one['lost']}"
        if "hooks" in one:
            yield from _compare(one)


def _compare(one: Mapping[str, Any]) -> Iterator[str]:
    yield f"    {one['hooks']} live hooks, refused {one['refused']}; p50 and p99 in ms, without boxes and beside them"
    for name, said in (("acknowledge", "acknowledgement"), ("platform", "to the platform")):
        without, beside, ratio = (one[f"{name}_{part}"] for part in ("without_ms", "beside_ms", "ratio"))
        yield (
            f"      {said:16} p50 {without[0]} and {beside[0]} ({ratio[0]} times), "
            f"p99 {without[1]} and {beside[1]} ({ratio[1]} times)"
        )

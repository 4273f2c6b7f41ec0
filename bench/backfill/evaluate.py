"""What was seen, in figures, and whether it is as promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bench.backfill.scenario import Observations, Scenario

_US_PER_S = 1_000_000
_REFUSED, _OK = 429, 200
_EDGE_S = 0.02  # seconds: the duration of a request, where the readings of two clocks are compared


def evaluate(script: Scenario, seen: Observations) -> dict[str, Any]:
    """All figures; `whole`: whether they are as expected."""
    found = {**_people(seen), **_requests(script, seen), **_delays(seen)}
    found |= {"script": {"customers": script.customers, "rate": script.rate, "kills": len(seen.kills)}}
    found |= {"progress": seen.progress}
    found["whole"] = (
        found["missing"] == found["twice"] == found["with_events"] == found["inside_retry_after"] == 0
        and found["read_again"] <= len(seen.kills)
        and found["share_of_rate"] >= 0.9  # noqa: PLR2004 - the promise
        and found["share_refused"] < 0.02  # noqa: PLR2004 - the promise
        and found["live_ratio"] <= 2  # noqa: PLR2004 - the promise
    )
    return found


def _people(seen: Observations) -> dict[str, Any]:
    """Customers from before without a profile at the platform; with two there, or two written; with any event."""
    there = [number for person in seen.people if (number := _number(person)) in seen.customers]
    written = [number for number, count in seen.profiles.items() if number in seen.customers and count > 1]
    return {
        "customers": len(seen.customers),
        "missing": len(seen.customers.difference(there)),
        "twice": len(there) - len(set(there)) + len(written),
        "with_events": sum(bool(person["events"]) for person in seen.people if _number(person) in seen.customers),
    }


def _requests(script: Scenario, seen: Observations) -> dict[str, Any]:
    """Of the time between the backfill's first request and its last. What else asked then used the same rate.

    `share_of_rate`: of the requests the store would have taken while it took any.
    """
    pages = [request for request in seen.requests if _is_ours(request)]
    began, ended = pages[0]["at"], pages[-1]["at"]
    asked = [request for request in seen.requests if began <= request["at"] <= ended]
    refused = [request["at"] for request in asked if request["status"] == _REFUSED]
    inside = sum(
        at + _EDGE_S < request["at"] < at + script.retry_after - _EDGE_S for at in refused for request in asked
    )
    read = Counter((page["path"], page["query"]) for page in pages if page["status"] == _OK)
    used, seconds = (len(asked) - len(refused) - 1) / script.rate, ended - began
    return {
        "pages": len(read),
        "read_again": read.total() - len(read),
        "requests": len(asked),
        "refused": len(refused),
        "share_refused": round(len(refused) / len(asked), 4),
        "inside_retry_after": inside,
        "seconds": round(seconds, 1),
        "share_of_rate": round(used / (seconds - script.retry_after * len(refused)), 4),
        "share_of_rate_overall": round(used / seconds, 4),
    }


def _is_ours(request: dict[str, Any]) -> bool:
    """Whether the backfill made the request: it reads whole collections, reconciliation reads with conditions."""
    return request["method"] == "GET" and "/hooks" not in request["path"] and "__" not in request["query"]


def _delays(seen: Observations) -> dict[str, Any]:
    received = {event["data"]["subject_id"]: event["received_at"] / _US_PER_S for event in _events(seen)}
    before, during = (
        sorted(1_000 * (received[order] - at) for order, at in sent.items()) for sent in (seen.before, seen.during)
    )
    return {
        "live_hooks": [len(before), len(during)],
        "live_p50_ms": [_percentile(before, 0.5), _percentile(during, 0.5)],
        "live_p95_ms": [_percentile(before, 0.95), _percentile(during, 0.95)],
        "live_max_ms": [_percentile(before, 1), _percentile(during, 1)],
        "live_ratio": round(_percentile(during, 0.5) / _percentile(before, 0.5), 2),
    }


def _events(seen: Observations) -> Iterable[dict[str, Any]]:
    return (event for person in seen.people for event in person["events"])


def _number(person: dict[str, Any]) -> int | None:
    text = str(person["id"])
    return int(text.removeprefix("cj_")) if text.startswith("cj_") else None


def _percentile(ordered: list[float], share: float) -> float:
    return round(ordered[int(share * (len(ordered) - 1))], 1)

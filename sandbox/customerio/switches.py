"""What the vendor leaves open, as switches: their names, values and defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.switch_rules import Rule, check_switches, is_flag, is_whole_number, one_of


@dataclass(frozen=True, slots=True)
class Switches:
    """How this Customer.io behaves where the documentation is silent or the merchant decides."""

    unknown_person: str = "create"
    event_ids: str = "strict"
    # On, because a shop that follows the set-up checklist has "Allow updates to email using ID" on.
    allow_email_update: bool = True
    nested_attributes: str = "accept"
    oversize_status: int = 400
    latency_ms: int = 0
    rate_limit_per_s: int = 0
    rate_limit_answer: str = "429:none"
    clock_offset_s: int = 0


def _natural(value: object) -> bool:
    return is_whole_number(value) and value >= 0  # type: ignore[operator]


ALLOWED: Mapping[str, Rule] = {
    "unknown_person": one_of("create", "drop", "error"),
    "event_ids": one_of("strict", "lax"),
    "allow_email_update": is_flag,
    "nested_attributes": one_of("accept", "reject"),
    "oversize_status": one_of(400, 413),
    "latency_ms": _natural,
    "rate_limit_per_s": _natural,
    "rate_limit_answer": one_of("429:none", "429:retry-after", "429:http-date", "drop"),
    "clock_offset_s": is_whole_number,
}


def apply_switches(switches: Switches, wanted: Mapping[str, Any]) -> Switches:
    """Return the switches with the requested changes, or refuse all of them."""
    check_switches(ALLOWED, wanted)
    return replace(switches, **wanted)

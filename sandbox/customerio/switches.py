"""What the vendor leaves open, as switches: their names, values and defaults."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any


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


class UnknownSwitch(ValueError):
    """The requested switch or value does not exist."""


def _one_of(*choices: object) -> Callable[[object], bool]:
    return lambda value: any(value == choice and type(value) is type(choice) for choice in choices)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _natural(value: object) -> bool:
    return _whole_number(value) and value >= 0  # type: ignore[operator]


ALLOWED: Mapping[str, Callable[[object], bool]] = {
    "unknown_person": _one_of("create", "drop", "error"),
    "event_ids": _one_of("strict", "lax"),
    "allow_email_update": _flag,
    "nested_attributes": _one_of("accept", "reject"),
    "oversize_status": _one_of(400, 413),
    "latency_ms": _natural,
    "rate_limit_per_s": _natural,
    "rate_limit_answer": _one_of("429:none", "429:retry-after", "429:http-date", "drop"),
    "clock_offset_s": _whole_number,
}


def apply_switches(switches: Switches, wanted: Mapping[str, Any]) -> Switches:
    """Return the switches with the requested changes, or refuse all of them."""
    for name, value in wanted.items():
        if name not in ALLOWED:
            raise UnknownSwitch(f"there is no switch {name!r}; there are {', '.join(ALLOWED)}")
        if not ALLOWED[name](value):
            raise UnknownSwitch(f"switch {name!r} cannot be {value!r}")
    return replace(switches, **wanted)

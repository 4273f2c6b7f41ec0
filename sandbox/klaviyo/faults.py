"""The faults that are set: for which calls, how often, and with which options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Every mode with its options and their defaults.
MODES: Mapping[str, Mapping[str, Any]] = {
    "status": {"code": 503, "body": "html", "processed": False},
    "429": {"retry_after": 1},  # a text is taken as it is, null sends no header
    "latency": {"ms": 1000},
    "hang": {"seconds": 60},
    "reset-before": {},
    "store-then-reset": {},
    "auth-revoked": {},
    "redirect": {"code": 301, "host": "http://127.0.0.1:9"},
    "truncated-json": {},
    "drop": {},
}
LASTING = ("latency", "auth-revoked")
BODIES = ("html", "empty", "errors")
_GENERAL = ("mode", "n", "skip", "method", "path")


class UnknownFault(ValueError):
    """The requested fault does not exist."""


@dataclass(slots=True)
class Fault:
    """A fault. `left`: how often it still applies, None for always. `path`: a pattern that is searched in the path."""

    mode: str
    options: dict[str, Any]
    left: int | None
    skip: int = 0
    method: str | None = None
    path: str = ""

    def strikes(self, method: str, path: str) -> bool:
        """Apply to this call? Counts down."""
        if self.left == 0 or self.method not in (None, method) or not re.search(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.left = None if self.left is None else self.left - 1
        return True

    def as_json(self) -> dict[str, Any]:
        """Return the fault as the control path shows it."""
        general = {"mode": self.mode, "n": self.left, "skip": self.skip, "method": self.method, "path": self.path}
        return {**general, **self.options}


class Faults:
    """The faults that are set, oldest first."""

    def __init__(self) -> None:
        """Begin without."""
        self._faults: list[Fault] = []

    def add(self, wanted: Mapping[str, Any]) -> Fault:
        """Set a fault from its JSON form, or raise UnknownFault."""
        mode = str(wanted.get("mode"))
        if mode not in MODES:
            raise UnknownFault(f"there is no fault {mode!r}; there are {', '.join(MODES)}")
        given = {name: value for name, value in wanted.items() if name not in _GENERAL}
        unknown = [name for name in given if name not in MODES[mode]]
        if unknown:
            options = ", ".join(MODES[mode]) or "none"
            raise UnknownFault(f"fault {mode!r} has no option {unknown[0]!r}; it has {options}")
        if given.get("body", BODIES[0]) not in BODIES:
            raise UnknownFault(f"option 'body' of fault {mode!r} cannot be {given['body']!r}")
        _check_path(wanted.get("path"))
        general = {name: wanted[name] for name in ("skip", "method", "path") if wanted.get(name) is not None}
        left = wanted.get("n", None if mode in LASTING else 1)
        self._faults.append(Fault(mode, {**MODES[mode], **given}, left, **general))
        return self._faults[-1]

    def clear(self) -> None:
        """Remove all."""
        self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Return those that still apply."""
        return [fault.as_json() for fault in self._faults if fault.left != 0]

    def strike(self, method: str, path: str) -> list[Fault]:
        """Return the faults of this call: every latency, and at most one of another mode."""
        struck: list[Fault] = []
        for fault in self._faults:
            has_other = any(one.mode != "latency" for one in struck)
            if (fault.mode == "latency" or not has_other) and fault.strikes(method, path):
                struck.append(fault)
        return struck


def _check_path(pattern: Any) -> None:
    try:
        re.compile(pattern or "")
    except (TypeError, re.error):
        raise UnknownFault(f"{pattern!r} is no pattern of a path") from None

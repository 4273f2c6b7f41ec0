"""The faults that are set: for which calls, how often, and with which options."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.mailchimp.call import Json

# Every mode with its options and their defaults.
MODES: Mapping[str, Mapping[str, Any]] = {
    "status": {"code": 503, "body": "html", "title": "", "detail": "", "processed": False},
    "429": {"retry_after": None},
    "429-empty": {},
    "bare-403": {},
    "502-html": {"processed": False},
    "latency": {"ms": 1000},
    "hang": {"seconds": 60},
    "slow-120": {"seconds": 120},
    "reset-before": {},
    "store-then-reset": {},
    "auth-revoked": {},
    "redirect": {"code": 301, "host": "http://127.0.0.1:9"},
    "truncated-json": {},
    "wrong-content-length": {},
    "slow-body": {"pause_ms": 200},
    "batch-half-fails": {"code": 500, "processed": False},
    "batch-loses-results": {},
    "batch-stuck": {},
}
LASTING = ("latency", "auth-revoked")
OF_BATCHES = ("batch-half-fails", "batch-loses-results", "batch-stuck")
CHOICES = {"body": ("html", "empty", "problem"), "processed": (True, False)}
_GENERAL = ("mode", "n", "skip", "method", "path")


class UnknownFault(ValueError):
    """The requested fault does not exist."""


@dataclass(slots=True)
class Fault:
    """A fault. `left`: how often it still applies, None for always. `path`: a pattern that is searched in the path."""

    mode: str
    options: Json
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

    def as_json(self) -> Json:
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
        for name, value in given.items():
            if name not in MODES[mode]:
                raise UnknownFault(f"fault {mode!r} has no option {name!r}; it has {', '.join(MODES[mode]) or 'none'}")
            if value not in CHOICES.get(name, (value,)):
                raise UnknownFault(f"option {name!r} of fault {mode!r} cannot be {value!r}")
        _check_path(wanted.get("path"))
        left = wanted.get("n", None if mode in LASTING else 1)
        general = {name: wanted[name] for name in ("skip", "method", "path") if wanted.get(name) is not None}
        fault = Fault(mode, {**MODES[mode], **given}, left, **general)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Remove all."""
        self._faults.clear()

    def listed(self) -> list[Json]:
        """Return those that still apply."""
        return [fault.as_json() for fault in self._faults if fault.left != 0]

    def has_revoked(self) -> bool:
        """Is every key refused?"""
        return any(fault.mode == "auth-revoked" and fault.left != 0 for fault in self._faults)

    def strike(self, method: str, path: str) -> list[Fault]:
        """Return the faults of this call: every latency, and at most one of another mode."""
        struck: list[Fault] = []
        for fault in self._faults:
            if fault.mode in OF_BATCHES or fault.mode == "auth-revoked":
                continue
            has_other = any(one.mode != "latency" for one in struck)
            if (fault.mode == "latency" or not has_other) and fault.strikes(method, path):
                struck.append(fault)
        return struck

    def take_batch_fault(self) -> Fault | None:
        """Return the next fault of a batch, and count it."""
        return next((one for one in self._faults if one.mode in OF_BATCHES and one.strikes("POST", "/batches")), None)


def _check_path(pattern: Any) -> None:
    try:
        re.compile(pattern or "")
    except (TypeError, re.error):
        raise UnknownFault(f"{pattern!r} is no pattern of a path") from None

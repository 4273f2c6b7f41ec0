"""The faults that are set, for which workspaces and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.customerio.http_messages import Json
from sandbox.customerio.v2 import BATCH_PATH

# Every mode with its options and their defaults.
MODES: Mapping[str, Mapping[str, Any]] = {
    "status": {"code": 503, "body": "html"},
    "429": {"headers": "none", "retry_after": 1},
    "html": {"code": 200},
    "redirect": {"code": 301, "host": "track-eu.customer.io"},
    "auth-revoked": {},
    "reset-before": {},
    "hang": {"hold_s": 60, "processed": False},
    "latency": {"ms": 1000},
    "drop": {},
    "out-of-order": {},
    "partial": {"indexes": [0]},
    "reset": {},
    "truncated-json": {},
    "wrong-content-length": {},
    "slow-body": {"pause_ms": 200},
}

# These last until they are removed; every other mode applies once by default.
LASTING_MODES = ("auth-revoked", "latency")

# Options with a fixed set of values.
CHOICES: Mapping[tuple[str, str], tuple[Any, ...]] = {
    ("status", "body"): ("html", "empty"),
    ("429", "headers"): ("none", "retry-after", "http-date"),
    ("redirect", "code"): (301, 302, 303, 307, 308),
}

_GENERAL = ("mode", "n", "seconds", "workspace", "path")


class UnknownFault(ValueError):
    """The requested fault does not exist."""


@dataclass(slots=True)
class Fault:
    """A fault and how often it still applies."""

    mode: str
    options: Mapping[str, Any]
    left: int | None
    until: int | None
    workspace: str | None
    path: str | None

    def applies_to(self, workspace: str | None, path: str, now: int) -> bool:
        """Return whether the fault applies to this call."""
        return (
            self.left != 0
            and (self.until is None or now < self.until)
            and self.workspace in (None, workspace)
            and self.path in (None, path)
        )

    def as_json(self) -> Mapping[str, Any]:
        """Return the fault as the control endpoint shows it."""
        return {
            "mode": self.mode,
            "n": self.left,
            "until": self.until,
            "workspace": self.workspace,
            "path": self.path,
            **self.options,
        }


class ActiveFaults:
    """The faults that are set, oldest first."""

    def __init__(self) -> None:
        """Start without faults."""
        self._faults: list[Fault] = []

    def add(self, wanted: Json, now: int) -> Fault:
        """Set a fault from its JSON form."""
        fault = _read(wanted, now)
        self._faults.append(fault)
        return fault

    def clear(self, mode: str | None = None, workspace: str | None = None) -> None:
        """Remove all faults, or those of a mode or a workspace."""
        if mode not in (None, *MODES):
            raise UnknownFault(f"there is no fault {mode!r}; there are {', '.join(MODES)}")
        self._faults = [
            fault
            for fault in self._faults
            if mode not in (None, fault.mode) or workspace not in (None, fault.workspace)
        ]

    def pending(self, now: int) -> list[Fault]:
        """Return the faults that can still strike."""
        self._faults = [
            fault for fault in self._faults if fault.left != 0 and (fault.until is None or now < fault.until)
        ]
        return list(self._faults)

    def take(self, workspace: str | None, path: str, now: int) -> list[Fault]:
        """Consume and return the faults of this call: every latency, and at most one fault of another mode."""
        if not self._faults:
            return []
        struck: list[Fault] = []
        for fault in self.pending(now):
            has_other = any(other.mode != "latency" for other in struck)
            if fault.applies_to(workspace, path, now) and (fault.mode == "latency" or not has_other):
                struck.append(fault)
                fault.left = None if fault.left is None else fault.left - 1
        return struck


def _read(wanted: Json, now: int) -> Fault:
    mode = str(wanted.get("mode"))
    if mode not in MODES:
        raise UnknownFault(f"there is no fault {mode!r}; there are {', '.join(MODES)}")
    given = {name: value for name, value in wanted.items() if name not in _GENERAL}
    _check_options(mode, given)
    n, seconds = wanted.get("n"), wanted.get("seconds")
    once = 1 if seconds is None and mode not in LASTING_MODES else None
    return Fault(
        mode=mode,
        options={**MODES[mode], **given},
        left=once if n is None else int(n),
        until=None if seconds is None else now + int(float(seconds) * 1_000_000),
        workspace=wanted.get("workspace"),
        path=BATCH_PATH if mode == "partial" else wanted.get("path"),
    )


def _check_options(mode: str, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name not in MODES[mode]:
            raise UnknownFault(f"fault {mode!r} has no option {name!r}; it has {', '.join(MODES[mode]) or 'none'}")
        if value not in CHOICES.get((mode, name), (value,)):
            raise UnknownFault(f"option {name!r} of fault {mode!r} cannot be {value!r}")

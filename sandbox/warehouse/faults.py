"""Faults on request: other answers, slowness, a cut connection before or after the work is done."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

LOWEST_STATUS, HIGHEST_STATUS = 200, 599
ACTS = ("drop_before_commit", "drop_after_commit", "rate_limited", "touch", "before", "status")
STEPS = ("pick", "pack", "ship", "cancel_by_operator")


class BadFault(ValueError):
    """A fault that cannot be had."""


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` requests that match; `times` None means until removed.

    `match` is a path, `*` standing for any characters, that the request's path begins with, and may have a method
    before it: `POST /3pl/orders/*/canceler`. `contains` is a text in the request's path, query or body.
    `status` answers without doing the work; with `after_commit` the work is done first. `json`, `text` and
    `content_type` replace the body of that answer.
    """

    match: str = "/"
    contains: str | None = None
    times: int | None = 1
    skip: int = 0  # so many matching requests pass first
    status: int | None = None
    after_commit: bool = False
    retry_after: int | str | None = None
    json: Any = None
    text: str | None = None
    content_type: str | None = None
    drop_before_commit: bool = False
    drop_after_commit: bool = False
    rate_limited: bool = False  # CartRover's own answer over the limit: a 200
    touch: bool = False  # 3PL Warehouse Manager: the order changes just before the request is processed
    before: str | None = None  # what is done to the order `order_number` just before the request is processed
    order_number: str | None = None
    latency_ms: int = 0

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> "Fault":
        """Return the fault, or raise BadFault."""
        known = {field.name for field in fields(cls)}
        if set(wanted) - known:
            raise BadFault(f"a fault has {', '.join(sorted(known))}")
        fault = cls(**wanted)
        numbers = (fault.times, fault.skip, fault.status, fault.latency_ms)
        if not isinstance(fault.match, str) or not all(isinstance(n, int | None) for n in numbers):
            raise BadFault("match is a text; times, skip, status and latency_ms are whole numbers")
        if fault.status is not None and not LOWEST_STATUS <= fault.status <= HIGHEST_STATUS:
            raise BadFault("status lies between 200 and 599")
        if (fault.json is not None or fault.text is not None) and fault.status is None:
            raise BadFault("json and text need a status")
        if fault.before not in {None, *STEPS} or (fault.before is None) != (fault.order_number is None):
            raise BadFault(f"before is one of {', '.join(STEPS)}, with the order_number of the order")
        if not any(getattr(fault, act) for act in ACTS) and not fault.latency_ms:
            raise BadFault(f"a fault needs {', '.join(ACTS)} or latency_ms")
        return fault

    @property
    def name(self) -> str:
        """Return what the request log shows."""
        act = next((act for act in ACTS if getattr(self, act)), "latency")
        return f"{act} {self.status or self.before}" if act in {"status", "before"} else act

    def strikes(self, method: str, path: str, content: str) -> bool:
        """Does the fault concern this request?"""
        verb, _, pattern = self.match.rpartition(" ")
        return (
            verb in {"", method}
            and fnmatchcase(path, pattern.replace("[", "[[]") + "*")
            and (self.contains is None or self.contains in content)
        )


class Faults:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        """Begin without any."""
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Set a fault."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Remove all."""
        self._faults.clear()

    def listed(self) -> list[dict[str, Any]]:
        """Return the faults that are left."""
        return [asdict(fault) for fault in self._faults]

    def take(self, method: str, path: str, content: str) -> list[Fault]:
        """Consume one use of each matching latency and of the first other matching fault, and return them."""
        taken: list[Fault] = []
        is_struck = False
        for fault in list(self._faults):
            is_slow_only = fault.name == "latency"
            if (is_struck and not is_slow_only) or not fault.strikes(method, path, content):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            is_struck = is_struck or not is_slow_only
            taken.append(fault)
            self._use(fault)
        return taken

    def _use(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)

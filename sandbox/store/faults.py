"""Faults of the API, on request and by path prefix: refusals, slowness, revoked keys, a rate limit, spoiled pages."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

STATUSES = {401, 403, 429, 500, 502, 503}
WITH_RETRY_AFTER = {429, 503}
CUTS = ("drop_before_commit", "drop_after_commit")
FAULT_KINDS = ("status", "rate", "latency", "auth", "page", *CUTS)

# What may be wrong with a page of a list; `api/pages.py` acts it out.
PAGES = ("null", "missing", "empty", "gone", "same_next", "first_next", "repeated")


class BadFault(ValueError):
    """A fault that cannot be had."""


@dataclass
class Fault:
    """One of `FAULT_KINDS`. `times` None means until cleared; a rate has no times. `skip` requests pass first."""

    status: int | None = None
    rate: float | None = None
    latency: float = 0.0
    auth: str | None = None
    page: str | None = None
    drop_before_commit: bool = False  # the connection is cut, and nothing is done
    drop_after_commit: bool = False  # the work is done, and then the connection is cut
    on: int = 2  # which page is spoiled; the first is 1, whatever the store calls it
    times: int | None = None
    retry_after: int = 1
    prefix: str = "/"
    method: str | None = None
    skip: int = 0
    recent: deque[float] = field(default_factory=deque, repr=False)

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> "Fault":
        known = {field.name for field in fields(cls)} - {"recent"}
        if set(wanted) - known:
            raise BadFault(f"a fault has {', '.join(sorted(known))}")
        fault: Fault = cls(**wanted)
        if fault.status is not None and fault.status not in STATUSES:
            raise BadFault(f"status is one of {sorted(STATUSES)}")
        if fault.auth not in {None, "revoked"}:
            raise BadFault("auth can be revoked")
        if fault.page not in {None, *PAGES}:
            raise BadFault(f"page is one of {', '.join(PAGES)}")
        if len(fault.kinds) != 1:
            raise BadFault(f"a fault has one of {', '.join(FAULT_KINDS)}")
        return fault

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in FAULT_KINDS if getattr(self, kind)]


@dataclass(frozen=True)
class Verdict:
    """The effect on a request: a delay, and a response in place of the real one."""

    latency: float = 0.0
    status: int | None = None
    retry_after: int | None = None
    revoked: bool = False
    cut: str | None = None


class Faults:
    """The faults in force. The clock is monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self, kind: str | None = None) -> None:
        """Remove all faults, or those of a kind."""
        if kind not in {None, *FAULT_KINDS}:
            raise BadFault(f"a kind of fault is one of {', '.join(FAULT_KINDS)}")
        with self._lock:
            self._faults = [fault for fault in self._faults if kind and kind not in fault.kinds]

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [{k: v for k, v in asdict(fault).items() if k != "recent"} for fault in self._faults]

    def judge(self, method: str, path: str) -> Verdict:
        """Consume one use of the first matching refusal; latencies add up."""
        with self._lock:
            matching = [fault for fault in self._faults if not fault.page and self._strikes(fault, method, path)]
            slow = [fault for fault in matching if fault.latency]
            for fault in slow:
                self._use(fault)
            refusals = (self._verdict(fault) for fault in matching if not fault.latency)
            verdict = next((found for found in refusals if found), Verdict())
            return replace(verdict, latency=sum(fault.latency for fault in slow))

    def take_page_fault(self, path: str, page: int) -> str | None:
        """Consume one use of the first fault that damages this page of this list."""
        with self._lock:
            for fault in self._faults:
                if fault.page and fault.on == page and path.startswith(fault.prefix):
                    self._use(fault)
                    return fault.page
        return None

    def _strikes(self, fault: Fault, method: str, path: str) -> bool:
        if not path.startswith(fault.prefix) or fault.method not in {None, method}:
            return False
        if fault.skip:
            fault.skip -= 1
            return False
        return True

    def _verdict(self, fault: Fault) -> Verdict | None:
        if fault.auth:
            self._use(fault)
            return Verdict(revoked=True)
        if fault.rate is not None:
            return Verdict(status=429, retry_after=fault.retry_after) if self._too_fast(fault) else None
        self._use(fault)
        cut = next((kind for kind in CUTS if getattr(fault, kind)), None)
        if cut:
            return Verdict(cut=cut)
        return Verdict(status=fault.status, retry_after=fault.retry_after if fault.status in WITH_RETRY_AFTER else None)

    def _too_fast(self, fault: Fault) -> bool:
        """A sliding window of one second, or longer for less than one request a second."""
        now, rate = self._clock(), fault.rate or 1.0
        window, most = max(1.0, 1 / rate), max(1, int(rate))
        while fault.recent and fault.recent[0] <= now - window:
            fault.recent.popleft()
        if len(fault.recent) >= most:
            return True
        fault.recent.append(now)
        return False

    def _use(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)

"""A budget of CPU time for each hook, and for each store a share of each batch.

CPU time is linear in a hook's length, and a hook's length and values are bounded, so ordinary hooks need a fraction of
the budget. The budget is for errors that we did not foresee: a hook that exceeds it fails at its first try, instead of
after three killed workers. The remaining hooks of a store that has used up its share are read later.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import inf

from pipeline.core.errors import BadHook

MAX_HOOK_CPU_S = 2.0  # for one hook in one link; the costliest readable 5 MB take a third of it on a slow machine
MAX_STORE_CPU_S = 0.5  # for one store's hooks in one link and batch; its first hook is read whatever it costs
SHORT_TURN_CPU_S = 0.05  # the same in a short turn, while the hooks of other stores wait for its end
TOO_COSTLY = "too_costly"

CpuLimit = Callable[[float], AbstractContextManager[None]]  # raises CpuLimitExceeded in its block after so many seconds


class CpuLimitExceeded(BaseException):
    """The CPU time is used up. A BaseException, so that no `except Exception` in between handles it."""


def no_cpu_limit(_seconds: float) -> AbstractContextManager[None]:
    """Limit nothing, where a running block cannot be interrupted: a hook that was too costly is known afterwards."""
    return nullcontext()


class CpuBudget:
    """The CPU time of one batch in one link, measured on this thread. Without a share no hook is deferred."""

    def __init__(
        self, cpu_limit: CpuLimit = no_cpu_limit, share_s: float = inf, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._cpu_limit = cpu_limit
        self._share_s = share_s
        self._clock = clock
        self._spent_s: defaultdict[str, float] = defaultdict(float)
        self._deferred: defaultdict[str, list[str]] = defaultdict(list)

    @contextmanager
    def charge(self, store: str) -> Iterator[None]:
        """Charge the block's CPU time to this store. Raises BadHook if it is more than a hook may take."""
        started, interrupted = self._clock(), False
        try:
            with self._cpu_limit(MAX_HOOK_CPU_S):
                yield
        except CpuLimitExceeded:
            interrupted = True
        finally:
            cpu_s = self._clock() - started
            self._spent_s[store] += cpu_s
        if interrupted or cpu_s > MAX_HOOK_CPU_S:
            raise BadHook(TOO_COSTLY, {"cpu_s": round(cpu_s, 1), "limit_s": MAX_HOOK_CPU_S})

    def defer_if_over_share(self, store: str, entry_id: str) -> bool:
        """Return whether this hook has to be read later, because its store has used up its share; if so, note it."""
        if self._spent_s[store] <= self._share_s:
            return False
        self._deferred[store].append(entry_id)
        return True

    @property
    def exhausted_stores(self) -> list[str]:
        """The stores that have used up their share."""
        return [store for store, spent_s in self._spent_s.items() if spent_s > self._share_s]

    @property
    def deferred(self) -> Mapping[str, Sequence[str]]:
        """Store -> its deferred entries, in their order."""
        return self._deferred

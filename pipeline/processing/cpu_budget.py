"""What hooks cost: a budget of processor time for each hook, and for each store a share of each batch.

Time is linear in a hook's length, and a hook's length and values are bounded, so no hook of a store needs a fraction of
the budget. It is for the fault that none of this foresaw: such a hook dies at its first try, and not after its readers
have been killed three times. A store whose hooks have used up its share has the rest of them read later.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from math import inf

from pipeline.core.errors import BadHook

MAX_HOOK_CPU_S = 2.0  # of one hook in one link; the dearest 5 MB that is read takes a third of it on a slow machine
MAX_STORE_CPU_S = 0.5  # of one store's hooks in one link and batch; the first of them is begun whatever it costs
TOO_COSTLY = "too_costly"

CpuLimit = Callable[[float], AbstractContextManager[None]]  # OverBudget strikes in it after so many seconds


class CpuLimitExceeded(BaseException):
    """The processor time is used up. No `except Exception` on its way takes it for a fault of its own."""


def no_cpu_limit(_seconds: float) -> AbstractContextManager[None]:
    """For where nothing can strike: what was too costly is known when it is over."""
    return nullcontext()


class CpuBudget:
    """Of one batch in one link, whose clock is the processor time of this thread. Nothing is left unless a share is."""

    def __init__(
        self, limited: CpuLimit = no_cpu_limit, share_s: float = inf, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._cpu_limit = limited
        self._share_s = share_s
        self._clock = clock
        self._spent: defaultdict[str, float] = defaultdict(float)
        self._left: defaultdict[str, list[str]] = defaultdict(list)

    @contextmanager
    def of(self, store: str) -> Iterator[None]:
        """Count what the block costs as this store's. Raises BadHook if it is more than one hook may."""
        began, struck = self._clock(), False
        try:
            with self._cpu_limit(MAX_HOOK_CPU_S):
                yield
        except CpuLimitExceeded:
            struck = True
        finally:
            took = self._clock() - began
            self._spent[store] += took
        if struck or took > MAX_HOOK_CPU_S:
            raise BadHook(TOO_COSTLY, {"cpu_s": round(took, 1), "limit_s": MAX_HOOK_CPU_S})

    def defer_if_over_share(self, store: str, entry_id: str) -> bool:
        """Whether this hook of the store is left for later, since those before it have used up the store's share."""
        if self._spent[store] <= self._share_s:
            return False
        self._left[store].append(entry_id)
        return True

    @property
    def exhausted_stores(self) -> list[str]:
        """The stores whose hooks have used up their share."""
        return [store for store, spent in self._spent.items() if spent > self._share_s]

    @property
    def left(self) -> Mapping[str, Sequence[str]]:
        """Store -> the entries that are left for later, in their order."""
        return self._left

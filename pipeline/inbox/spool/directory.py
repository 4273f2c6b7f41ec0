"""The spool directory of an installation: `spool/0`, `spool/1`, … one per web process, held by a file lock.

A process takes the first one that is free. One whose process has died holds hooks nobody would drain; whoever looks
next adopts it. Hooks in an adopted spool are older than ours, so they leave first.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.inbox.entry import RawHook
from pipeline.inbox.spool.queue import Spool, SpoolUnavailable

log = logging.getLogger(__name__)


class OwnedSpool(NamedTuple):
    """A spool and the lock that makes it ours."""

    spool: Spool
    lock: int

    def release(self) -> None:
        """Close the file and let others have the directory."""
        self.spool.close()
        os.close(self.lock)


class PendingBatch(NamedTuple):
    """The oldest hooks on disk and the spool they lie in."""

    spool: Spool
    last: int
    hooks: list[RawHook]

    def remove(self) -> None:
        """They are in the inbox now."""
        self.spool.remove(self.last, len(self.hooks))


class SpoolDirectory:
    """Our own spool and the ones we adopted."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: OwnedSpool | None = None
        self._adopted: dict[str, OwnedSpool] = {}

    def append(self, hooks: Sequence[RawHook]) -> None:
        """Keep hooks in our own spool, or raise SpoolFull."""
        self._mine().append(hooks)

    def get_next_batch(self, count: int, max_bytes: int) -> PendingBatch | None:
        """The hooks to drain next."""
        for held in self._all():
            if found := held.spool.peek(count, max_bytes):
                return PendingBatch(held.spool, found[-1][0], [hook for _, hook in found])
        return None

    def look(self) -> None:
        """Open our spool, adopt those without an owner that hold hooks, let go of adopted ones that are empty."""
        try:
            self._mine()
            self._adopt_orphans()
        except (SpoolUnavailable, OSError) as error:
            log.warning("the spool cannot be opened", extra={"reason": str(error)})
        for name, held in list(self._adopted.items()):
            if not held.spool.depth:
                self._adopted.pop(name).release()

    @property
    def depth(self) -> int:
        """How many hooks wait on disk, as far as they are ours to drain."""
        return sum(held.spool.depth for held in self._all())

    def get_oldest_received_at(self) -> int | None:
        """When the hook that waits longest was received, in µs."""
        times = [at for held in self._all() if (at := held.spool.get_oldest_received_at()) is not None]
        return min(times, default=None)

    def is_writable(self) -> bool:
        """Whether our spool would take a hook."""
        return self._own is not None and self._own.spool.is_writable()

    def close(self) -> None:
        """Let go of everything."""
        for held in self._all():
            held.release()
        self._own, self._adopted = None, {}

    def _all(self) -> list[OwnedSpool]:
        return [*self._adopted.values(), *([self._own] if self._own else [])]

    def _mine(self) -> Spool:
        number = 0
        while self._own is None:
            self._own = self._hold(str(number))
            number += 1
        return self._own.spool

    def _adopt_orphans(self) -> None:
        names = [entry.name for entry in os.scandir(self._root) if entry.name.isdecimal()]
        for name in sorted(names, key=int):
            if held := self._hold(name):
                self._adopted[name] = held

    def _hold(self, name: str) -> OwnedSpool | None:
        """The spool of that name, unless another process, or this one, has it."""
        directory = self._root / name
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # hooks carry names and addresses
            lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SpoolUnavailable(os.strerror(error.errno or 0)) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return OwnedSpool(Spool(directory), lock)
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise

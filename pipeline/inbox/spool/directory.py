"""The spool directory of an installation: `spool/0`, `spool/1`, … for each web process, owned by a file lock.

A process takes the first spool that is free. A spool whose process has died holds hooks that no process would drain, so
another process adopts it. Hooks in an adopted spool are older than the process's own, so they leave first.
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
    """A spool and the file descriptor of the lock that makes it ours."""

    spool: Spool
    lock: int

    def release(self) -> None:
        """Close the file and let other processes take the spool."""
        self.spool.close()
        os.close(self.lock)


class PendingBatch(NamedTuple):
    """The oldest hooks on disk and the spool they are in."""

    spool: Spool
    last_id: int
    hooks: list[RawHook]

    def remove(self) -> None:
        """Delete the hooks from the spool: the inbox holds them."""
        self.spool.remove(self.last_id, len(self.hooks))


class SpoolDirectory:
    """The spools of this process: its own and those it has adopted."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._own: OwnedSpool | None = None
        self._adopted: dict[str, OwnedSpool] = {}

    def append(self, hooks: Sequence[RawHook]) -> None:
        """Store hooks in our own spool. Raises SpoolUnavailable."""
        self._get_own().append(hooks)

    def get_next_batch(self, count: int, max_bytes: int) -> PendingBatch | None:
        """Return the hooks to drain next."""
        for owned in self._get_owned():
            if rows := owned.spool.peek(count, max_bytes):
                return PendingBatch(owned.spool, rows[-1][0], [hook for _, hook in rows])
        return None

    def refresh(self) -> None:
        """Open our spool, adopt spools without an owner that hold hooks, and release adopted spools that are empty."""
        try:
            self._get_own()
            self._adopt_orphans()
        except (SpoolUnavailable, OSError) as error:
            log.warning("the spool cannot be opened", extra={"reason": str(error)})
        for name, owned in list(self._adopted.items()):
            if not owned.spool.depth:
                self._adopted.pop(name).release()

    @property
    def depth(self) -> int:
        """How many hooks wait in the spools of this process."""
        return sum(owned.spool.depth for owned in self._get_owned())

    def get_oldest_received_at(self) -> int | None:
        """Return when the oldest hook on disk was received, in µs."""
        times = [at for owned in self._get_owned() if (at := owned.spool.get_oldest_received_at()) is not None]
        return min(times, default=None)

    def is_writable(self) -> bool:
        """Return whether our own spool would accept a hook."""
        return self._own is not None and self._own.spool.is_writable()

    def close(self) -> None:
        """Release all spools."""
        for owned in self._get_owned():
            owned.release()
        self._own, self._adopted = None, {}

    def _get_owned(self) -> list[OwnedSpool]:
        return [*self._adopted.values(), *([self._own] if self._own else [])]

    def _get_own(self) -> Spool:
        number = 0
        while self._own is None:
            self._own = self._try_lock(str(number))
            number += 1
        return self._own.spool

    def _adopt_orphans(self) -> None:
        names = [entry.name for entry in os.scandir(self._root) if entry.name.isdecimal()]
        for name in sorted(names, key=int):
            if owned := self._try_lock(name):
                self._adopted[name] = owned

    def _try_lock(self, name: str) -> OwnedSpool | None:
        """Open the spool of that name; None if another process, or this one, owns it."""
        directory = self._root / name
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # hooks contain names and addresses
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

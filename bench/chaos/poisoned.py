"""Celery's command line, for workers on which marked bodies have the effect that no body should have.

Nobody knows a body that kills the interpreter today; this makes some.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery.bin.celery import main as celery

from pipeline.chain import decoding
from pipeline.decode import decode
from pipeline.settings import process_environment
from tasks.app import app

SOFT_SECONDS, HARD_SECONDS = 6, 9  # instead of minutes; a busy machine must not reach them with sound bodies
BEGUN = "begun"  # file in the data directory: a line for each time that a marked body was begun
ROOM = 200_000_000  # bytes beyond what the process has


def die() -> None:
    """As a fault in a C library does, or the kernel when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def exhaust() -> None:
    """Take memory until there is no more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_size() + ROOM, before[1]))
    try:
        taken: list[bytes] = []
        while True:
            taken.append(bytes(10_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def hang() -> None:
    """Hear nothing, not even the soft time limit."""
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)


EFFECTS: dict[bytes, Callable[[], None]] = {b"poison: die": die, b"poison: exhaust": exhaust, b"poison: hang": hang}


def _size() -> int:
    with open("/proc/self/statm", encoding="ascii") as numbers:  # noqa: PTH123 shorter
        return int(numbers.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _write_down(raw: bytes) -> None:
    with (Path(process_environment(None)["CRATEWIRE_DATA_DIR"]) / BEGUN).open("ab", buffering=0) as file:
        file.write(raw + b"\n")


def _decode(raw: bytes, query: str | None = None) -> Any:
    for mark, effect in EFFECTS.items():
        if mark in raw:
            _write_down(raw)
            effect()
    return decode(raw, query)


def main() -> None:
    """Run Celery with everything prepared; its pool inherits it."""
    vars(decoding)["decode"] = _decode
    app.conf.update(task_soft_time_limit=SOFT_SECONDS, task_time_limit=HARD_SECONDS)
    celery()


if __name__ == "__main__":
    main()

"""Celery's command line, for workers that marked bodies kill or block.

No body that kills the interpreter is known today; this simulates such bodies.
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

from pipeline.decode import decode
from pipeline.processing import decode as decoding
from pipeline.settings import read_environment
from tasks.app import app

SOFT_LIMIT_S, HARD_LIMIT_S = 6, 9  # instead of minutes; a busy machine must not reach them with sound bodies
STARTED_FILE = "begun"  # file in the data directory: a line for each time that a marked body was begun
MEMORY_HEADROOM_BYTES = 200_000_000  # bytes beyond what the process has


def crash() -> None:
    """As a fault in a C library does, or the kernel when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def exhaust() -> None:
    """Take memory until there is no more."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_size() + MEMORY_HEADROOM_BYTES, before[1]))
    try:
        taken: list[bytes] = []
        while True:
            taken.append(bytes(10_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def hang() -> None:
    """Ignore everything, even the soft time limit."""
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)


EFFECTS: dict[bytes, Callable[[], None]] = {b"poison: die": crash, b"poison: exhaust": exhaust, b"poison: hang": hang}


def _size() -> int:
    with open("/proc/self/statm", encoding="ascii") as numbers:  # noqa: PTH123 shorter
        return int(numbers.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _log_start(raw: bytes) -> None:
    with (Path(read_environment(None)["CRATEWIRE_DATA_DIR"]) / STARTED_FILE).open("ab", buffering=0) as file:
        file.write(raw + b"\n")


def _decode(raw: bytes, query: str | None = None) -> Any:
    for mark, effect in EFFECTS.items():
        if mark in raw:
            _log_start(raw)
            effect()
    return decode(raw, query)


def main() -> None:
    """Run Celery with everything prepared; its pool inherits it."""
    vars(decoding)["decode"] = _decode
    app.conf.update(task_soft_time_limit=SOFT_LIMIT_S, task_time_limit=HARD_LIMIT_S)
    celery()


if __name__ == "__main__":
    main()

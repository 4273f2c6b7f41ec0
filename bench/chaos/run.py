"""Run faults in sequence, on the same installation until a promise is broken."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chaos.accounting import Row
from bench.chaos.fault_run import Fault, run_fault
from bench.chaos.installation import Installation, start_installation
from bench.chaos.release_before import unpack_release_before


@dataclass(frozen=True, slots=True)
class ChaosRun:
    """How to play."""

    short: bool = False
    seed: int = 1
    keep: bool = False  # data and logs
    disks: bool = False  # small disks, which can be filled
    wrong: str = ""  # the name of a wrong release that the workers of the fulfilment are to be

    def rows(self, faults: Sequence[Fault], databases: Sequence[str]) -> Iterator[Row]:
        """Return a row per fault and database."""
        for database in databases:
            left = [fault for fault in faults if database in fault.databases]
            while left:
                yield from self._on_one(left, database)

    def _on_one(self, left: list[Fault], database: str) -> Iterator[Row]:
        """Play until something has been left behind that would disturb the next."""
        folder = Path(tempfile.mkdtemp(prefix="cratewire-chaos-"))
        needs = _get_needs(left[0])
        code = unpack_release_before(folder) if needs["begins_before"] else None
        try:
            if needs["begins_before"] and code is None:
                yield Row(left.pop(0).name, database, skipped="this checkout does not have the release before")
                return
            with start_installation(
                folder,
                database,
                worker=needs["worker"],
                disks=self.disks,
                code=code,
                replicas=needs["replicas"],
                syncs=needs["syncs"],
            ) as here:
                here.wrong_release = self.wrong
                clean = True
                while clean and left and _get_needs(left[0]) == needs:
                    fault = left.pop(0)
                    row = self._play(here, fault, database)
                    yield row
                    clean = not row.fails and not fault.needs_new_installation and not here.is_disk_half_full
        finally:
            self._leave(folder)

    def _play(self, here: Installation, fault: Fault, database: str) -> Row:
        began = time.monotonic()
        try:
            row = run_fault(here, fault, database, short=self.short, seed=self.seed)
        except Exception as error:  # noqa: BLE001 a fault that cannot be played is a row too
            row = Row(fault.name, database, broken=[f"could not be played: {type(error).__name__}: {error}"])
        row.seconds = time.monotonic() - began
        return row

    def _leave(self, folder: Path) -> None:
        if self.keep:
            print(f"data and logs: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _get_needs(fault: Fault) -> dict[str, Any]:
    """What an installation must be like for this fault."""
    return {name: getattr(fault, name) for name in ("worker", "begins_before", "replicas", "syncs")}

"""Makes power cuts at random moments of a recording, and counts what they cost."""

from __future__ import annotations

import bisect
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from bench.chaos.power.disk import Disk, in_order, write_state
from bench.chaos.power.record import Recording
from bench.chaos.power.survivors import Survivors, read_survivors, record_waiting
from bench.chaos.power.trace import FileCall

RECORD_EVERY = 10  # cuts, after one of which everything that waits is recorded
_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 a state lives for a second


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts are on the disks: `valkey`, `spool` and `ledger`; which ledger; Valkey's program; the keys."""

    places: dict[str, Path]
    ledger: str
    valkey: Path
    secret_keys: tuple[str, ...]


@dataclass
class CutCounts:
    """What the cuts have cost."""

    cuts: int = 0
    losing: int = 0  # cuts after which an acknowledged hook was missing, or something did not start
    lost: int = 0  # acknowledged hooks, over all cuts
    twice: int = 0  # events
    recorded: int = 0  # cuts after which what waited was recorded
    torn: int = 0  # cuts after which something was not on the disk as it had been written
    faults: Counter[str] = field(default_factory=Counter)

    def describe(self) -> str:
        """For a note below the row."""
        return (
            f"{self.cuts} cuts ({self.torn} with something unsynced; {self.recorded} recorded to the end): "
            f"{self.lost} acknowledged hooks lost in {self.losing} of them, {self.twice} events twice"
        )


def make_cuts(  # noqa: PLR0913, PLR0917 what was recorded, and how to cut
    recorded: Recording,
    calls: Sequence[FileCall],
    acknowledged: Sequence[tuple[float, str]],
    layout: Layout,
    rng: Random,
    number: int,
    ignores_sync: Callable[[str], bool] = lambda _: False,
) -> CutCounts:
    """Cut the power so many times. `acknowledged`: when each hook was, in s, and its subject, in their order."""
    counts, disk = CutCounts(), Disk(recorded.snapshot, recorded.roots, ignores_sync)
    moments = sorted(rng.uniform(recorded.began, recorded.ended) for _ in range(number))
    times, timed = [at for at, _ in acknowledged], iter(in_order(calls))
    ahead = next(timed, None)
    for moment in moments:
        while ahead is not None and ahead[0] <= moment:
            disk.play(ahead[1])
            ahead = next(timed, None)
        promised = {subject for _, subject in acknowledged[: bisect.bisect_right(times, moment)]}
        _cut(disk, promised, layout, rng, counts)
    return counts


def _cut(disk: Disk, promised: set[str], layout: Layout, rng: Random, counts: CutCounts) -> None:
    folder = Path(tempfile.mkdtemp(prefix="cratewire-cut-", dir=_MEMORY_FOLDER if _MEMORY_FOLDER.exists() else None))
    folder.chmod(0o755)
    try:
        counts.torn += disk.has_unsynced
        state = disk.cut(rng)
        for name, place in layout.places.items():
            write_state(state, place, folder / name)
        found = read_survivors(folder, layout.ledger, layout.valkey)
        counts.cuts += 1
        _judge(found, promised, counts)
        if layout.ledger == "sqlite" and not found.faults and counts.cuts % RECORD_EVERY == 0:
            events = record_waiting(folder, found, layout.secret_keys)
            counts.recorded += 1
            counts.twice += sum(times - 1 for subject, times in events.items() if subject in promised)
            counts.lost += sum(subject not in events for subject in promised)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _judge(found: Survivors, promised: set[str], counts: CutCounts) -> None:
    lost = len(promised - found.subjects)
    counts.lost += lost
    counts.twice += sum(times - 1 for subject, times in found.recorded.items() if subject in promised)
    counts.losing += bool(lost or found.faults)
    counts.faults.update(found.faults)

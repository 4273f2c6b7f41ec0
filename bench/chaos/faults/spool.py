"""The spool: web killed while it writes there, its tail torn, and its disk full."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from bench.chaos.disk import filled_disk
from bench.chaos.fault_run import ONLY_SQLITE, Fault, FaultRun
from bench.chaos.faults.processes import kill_group
from pipeline.inbox.spool.queue import SPOOL_FILE_NAME, Spool

REFUSED = 503
# SQLite's write-ahead log: a header, then frames, each with a header of its own and a page. The last of a commit says
# how many pages the file has then; frames with another salt are left over from before.
WAL_HEADER, FRAME_HEADER = 32, 24
SHM_DIRECTORY = Path("/dev/shm")  # noqa: S108 thousands of copies are opened and synced there, each in a folder of its own


def killed_while_spooling(scene: FaultRun) -> None:
    """Valkey is absent, so every hook goes to disk; web is killed repeatedly."""
    scene.here.keeper.down("valkey")
    for _ in range(scene.times(10, 3)):
        scene.await_answers()
        time.sleep(scene.rng.uniform(0.2, 2.0))
        kill_group(scene, "web")
    scene.await_answers()
    scene.here.keeper.up("valkey")


def torn_spool(scene: FaultRun) -> None:
    """What web had written when it was killed, cut at every byte of the last record: all before it is there."""
    scene.here.keeper.down("valkey")
    time.sleep(4)
    kill_group(scene, "web")
    scene.here.keeper.down("web")
    check_cut_spools(scene)
    scene.here.keeper.up("valkey")
    scene.here.keeper.up("web")
    scene.await_answers()


def check_cut_spools(scene: FaultRun) -> None:
    """Every spool with data; there must be at least one."""
    spools = [path.parent for path in scene.here.data_dir.glob(f"spool/*/{SPOOL_FILE_NAME}-wal")]
    if not spools:
        scene.add_failure("no spool was there to be cut")
    for spool in spools:
        _check_every_cut(scene, spool, step=1 if not scene.short else 97)


def _check_every_cut(scene: FaultRun, spool: Path, step: int) -> None:
    log = (spool / f"{SPOOL_FILE_NAME}-wal").read_bytes()
    begins, ends = find_last_commit(log)
    before, whole = _receipts(spool, log[:begins]), _receipts(spool, log)
    wrong = sum(_receipts(spool, log[:length]) != before for length in range(begins, ends, step))
    scene.note(
        f"cut at {len(range(begins, ends, step))} bytes; {len(before)} hooks before the cut, {len(whole)} in all"
    )
    if wrong or whole[: len(before)] != before or len(whole) <= len(before):
        scene.add_failure(f"{wrong} of the cuts cost a hook before them")


def find_last_commit(log: bytes) -> tuple[int, int]:
    """The start and end of the last record of a write-ahead log."""
    size = FRAME_HEADER + int.from_bytes(log[8:12], "big")
    commits, at = [WAL_HEADER], WAL_HEADER
    while at + size <= len(log) and log[at + 8 : at + 16] == log[16:24]:
        ends_one = int.from_bytes(log[at + 4 : at + 8], "big") > 0
        at += size
        if ends_one:
            commits.append(at)
    return commits[-2], commits[-1]


def _receipts(spool: Path, log: bytes) -> list[str]:
    """What is in a copy of the spool with this log."""
    with tempfile.TemporaryDirectory(dir=SHM_DIRECTORY if SHM_DIRECTORY.is_dir() else None) as name:
        shutil.copy(spool / SPOOL_FILE_NAME, name)
        (Path(name) / f"{SPOOL_FILE_NAME}-wal").write_bytes(log)
        copy = Spool(Path(name))
        found = [hook.receipt for _, hook in copy.peek(1_000_000, 1_000_000_000)]
        copy.close()
    return found


def full(scene: FaultRun) -> None:
    """Neither Valkey nor the disk accepts anything: 503 with Retry-After, and no acknowledgement that is then lost."""
    place = scene.here.spool_disk
    if place is None:
        scene.skip("a disk of its own for the spool needs root and mounts")
        return
    scene.here.keeper.down("valkey")
    time.sleep(3)
    with filled_disk(place):
        time.sleep(scene.seconds(8, 3))
    time.sleep(2)
    scene.here.keeper.up("valkey")
    check_refusals(scene)


def check_refusals(scene: FaultRun) -> None:
    """Some were refused, and each in the words that have it sent again."""
    refused = [hook for hook in list(scene.load.sent) if hook.status is not None and not hook.accepted]
    scene.note(f"{len(refused)} hooks were refused, to be sent again")
    if not refused:
        scene.add_failure("no hook was refused: the disk was not full")
    if any(refusal.status != REFUSED or not refusal.retry_after for refusal in refused):
        scene.add_failure("a refusal without 503 or Retry-After")


FAULTS = (
    Fault("web killed while spooling", killed_while_spooling, rate=200, databases=ONLY_SQLITE, cuts=True),
    Fault("spool tail torn", torn_spool, rate=5, databases=ONLY_SQLITE, cuts=True),
    Fault("spool disk full", full, databases=ONLY_SQLITE, refuses=True),
)

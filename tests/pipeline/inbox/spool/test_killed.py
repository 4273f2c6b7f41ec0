"""A process killed while it writes to the spool, a tail torn off, and a disk that is really full."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.inbox.spool.queue import SPOOL_FILE_NAME, Spool
from tests.pipeline.inbox.hooks import hook

# Appends pairs of hooks and says so after each commit, as an acknowledgement would.
WRITE = """
import sys
from pathlib import Path
from pipeline.inbox.spool.queue import Spool
from tests.pipeline.inbox.hooks import hook

spool = Spool(Path(sys.argv[1]))
for number in range(0, 1_000_000, 2):
    spool.append([hook(number, size=3_000), hook(number + 1, size=3_000)])
    print(number + 1, flush=True)
"""
# Appends until the file may grow no more, and says how many were kept.
FILL = """
import resource, sys
from pathlib import Path
from pipeline.inbox.spool.queue import Spool, SpoolUnavailable
from tests.pipeline.inbox.hooks import hook

spool = Spool(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
kept = 0
try:
    while True:
        spool.append([hook(kept, size=3_000)])
        kept += 1
except SpoolUnavailable:
    print(kept, flush=True)
"""


def run(script: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, str(directory)], stdout=subprocess.PIPE, text=True)


def receipts(directory: Path) -> list[str]:
    spool = Spool(directory)
    found = [hook.receipt for _, hook in spool.peek(1_000_000, 1_000_000_000)]
    spool.close()
    return found


@pytest.mark.parametrize("appends", [1, 7, 150])
def test_hooks_appended_before_a_kill_are_complete_and_in_order(tmp_path, appends):
    with run(WRITE, tmp_path) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(appends)]
        process.kill()
        said += [int(line) for line in process.stdout]

    found = receipts(tmp_path)

    assert found == [f"r{number}" for number in range(len(found))]
    assert len(found) > said[-1]
    assert len(found) % 2 == 0


def test_a_tail_torn_at_any_byte_costs_nothing_before_it(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    spool = Spool(whole)
    for number in range(3):
        spool.append([hook(number)])
    before = (whole / f"{SPOOL_FILE_NAME}-wal").stat().st_size
    spool.append([hook(3)])
    after = (whole / f"{SPOOL_FILE_NAME}-wal").stat().st_size
    snapshot = tmp_path / "snapshot"
    shutil.copytree(whole, snapshot)  # as a power cut would leave it: nothing closed
    spool.close()

    wrong = {}
    for length in range(before, after, 13):
        torn = tmp_path / "torn"
        shutil.copytree(snapshot, torn)
        with (torn / f"{SPOOL_FILE_NAME}-wal").open("r+b") as file:
            file.truncate(length)
        found = receipts(torn)
        if found != ["r0", "r1", "r2"]:
            wrong[length] = found
        shutil.rmtree(torn)

    assert wrong == {}


def test_a_really_full_disk_keeps_what_it_took(tmp_path):
    with run(FILL, tmp_path) as process:
        output, _ = process.communicate(timeout=60)

    assert receipts(tmp_path) == [f"r{number}" for number in range(int(output))]
    assert int(output) > 10

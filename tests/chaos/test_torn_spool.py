"""The end of a spool's write-ahead log is found where SQLite wrote it."""

from __future__ import annotations

from pathlib import Path

from bench.chaos.faults.spool import find_last_commit
from pipeline.inbox.spool.queue import SPOOL_FILE_NAME, Spool
from tests.pipeline.inbox.hooks import hook


def test_the_last_record_of_a_spool_is_what_the_last_append_added(tmp_path: Path):
    spool, log = Spool(tmp_path), tmp_path / f"{SPOOL_FILE_NAME}-wal"
    spool.append([hook(1)])
    before = log.stat().st_size
    spool.append([hook(2), hook(3)])

    found = find_last_commit(log.read_bytes())

    spool.close()
    assert found[0] == before < found[1]


def test_what_is_left_over_from_before_is_no_record(tmp_path: Path):
    spool, log = Spool(tmp_path), tmp_path / f"{SPOOL_FILE_NAME}-wal"
    spool.append([hook(1)])
    written = log.read_bytes()
    spool.close()

    assert find_last_commit(written + bytes(10_000)) == find_last_commit(written)

from __future__ import annotations

import pytest

from pipeline.inbox.spool.queue import SPOOL_FILE_NAME, Spool, SpoolUnavailable
from tests.pipeline.inbox.hooks import hook, hooks

NO_LIMIT = 10_000_000


@pytest.fixture
def spool(tmp_path):
    opened = Spool(tmp_path)
    yield opened
    opened.close()


def front(spool, count=1_000, max_bytes=NO_LIMIT):
    return [hook.receipt for _, hook in spool.peek(count, max_bytes)]


def fill_the_disk(spool):
    """No more pages than the file has now."""
    spool._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (pages,) = spool._conn.execute("PRAGMA page_count").fetchone()
    spool._conn.execute(f"PRAGMA max_page_count = {pages}")


def drain(spool, count):
    taken = spool.peek(count, NO_LIMIT)
    spool.remove(taken[-1][0], len(taken))


def test_a_hook_comes_out_as_it_went_in(spool):
    given = hook(raw=b"\xff\x00", query="a=1", source="replay", version=3)
    spool.append([given])

    assert [hook for _, hook in spool.peek(10, NO_LIMIT)] == [given]


def test_hooks_leave_in_the_order_they_came(spool):
    spool.append(hooks(3))
    spool.append(hooks(2, first=4))

    assert front(spool) == ["r1", "r2", "r3", "r4", "r5"]


def test_peeking_removes_nothing(spool):
    spool.append(hooks(3))
    front(spool)

    assert spool.depth == 3


def test_a_peek_returns_no_more_than_the_count(spool):
    spool.append(hooks(3))

    assert front(spool, count=2) == ["r1", "r2"]


def test_a_peek_stops_at_its_size_but_returns_at_least_one(spool):
    spool.append([hook(1, size=9_000), hook(2, size=9_000)])

    assert front(spool, max_bytes=1_000) == ["r1"]


def test_removed_hooks_are_gone(spool):
    spool.append(hooks(3))
    drain(spool, 2)

    assert (front(spool), spool.depth) == (["r3"], 1)


def test_hooks_outlive_the_process(tmp_path, spool):
    spool.append(hooks(3))
    drain(spool, 1)
    spool.close()

    again = Spool(tmp_path)

    assert (front(again), again.depth) == (["r2", "r3"], 2)
    again.close()


def test_the_oldest_hook_says_since_when_it_waits(spool):
    assert spool.get_oldest_received_at() is None
    spool.append(hooks(3))

    assert spool.get_oldest_received_at() == hook(1).received_at


def test_a_full_disk_refuses_all_of_a_batch(spool):
    spool.append(hooks(3))
    fill_the_disk(spool)

    with pytest.raises(SpoolUnavailable):
        spool.append([hook(4), hook(5, size=100_000)])

    assert (front(spool), spool.depth, spool.is_writable()) == (["r1", "r2", "r3"], 3, False)


def test_a_spool_that_was_full_is_writable_again_after_a_write(spool):
    fill_the_disk(spool)
    with pytest.raises(SpoolUnavailable):
        spool.append([hook(5, size=100_000)])
    spool._conn.execute("PRAGMA max_page_count = 100000")
    spool.append(hooks(1))

    assert spool.is_writable()


def test_hooks_that_cannot_be_deleted_do_not_leave_twice(spool):
    spool.append(hooks(5))
    spool._conn.execute("PRAGMA query_only = 1")
    drain(spool, 3)

    assert (front(spool), spool.depth) == (["r4", "r5"], 2)


def test_hooks_that_could_not_be_deleted_go_with_the_next(tmp_path, spool):
    spool.append(hooks(5))
    spool._conn.execute("PRAGMA query_only = 1")
    drain(spool, 3)
    spool._conn.execute("PRAGMA query_only = 0")
    drain(spool, 1)
    spool.close()

    assert front(Spool(tmp_path)) == ["r5"]


def test_an_empty_spool_frees_its_disk_space(tmp_path, spool):
    spool.append([hook(1, size=3_000_000)])
    drain(spool, 1)
    spool.close()

    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 100_000


def test_a_file_that_is_not_a_database_is_kept_beside_the_new_one(tmp_path):
    (tmp_path / SPOOL_FILE_NAME).write_bytes(b"not a database at all" * 500)
    spool = Spool(tmp_path)
    spool.append(hooks(2))

    assert front(spool) == ["r1", "r2"]
    assert (tmp_path / f"{SPOOL_FILE_NAME}.broken-1").read_bytes().startswith(b"not a database")


def test_the_readable_hooks_of_a_damaged_file_are_saved_in_order(tmp_path):
    spool = Spool(tmp_path)
    spool.append([hook(number, size=2_000) for number in range(200)])
    spool.close()
    damage_middle(tmp_path / SPOOL_FILE_NAME, b"\xa5" * 20_000)

    saved = front(Spool(tmp_path))

    assert saved == sorted(saved, key=lambda receipt: int(receipt[1:]))
    assert {"r0", "r199"} <= set(saved)
    assert len(saved) > 100


def test_a_file_that_is_damaged_in_use_is_rebuilt(tmp_path, spool):
    spool.append([hook(number, size=2_000) for number in range(200)])
    drain(spool, 50)
    spool._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    spool._conn.execute("PRAGMA cache_size = 0")
    damage_middle(tmp_path / SPOOL_FILE_NAME, b"\xa5" * 20_000)

    saved = front(spool)
    spool.append([hook(999)])

    assert saved[0] == "r50"
    assert front(spool) == [*saved, "r999"]
    assert spool.depth == len(saved) + 1


def test_two_damaged_files_are_both_kept(tmp_path):
    for _ in range(2):
        (tmp_path / SPOOL_FILE_NAME).write_bytes(b"garbage" * 1_000)
        Spool(tmp_path).close()

    assert (tmp_path / f"{SPOOL_FILE_NAME}.broken-2").exists()


def test_a_directory_that_is_gone_is_not_writable(tmp_path):
    (tmp_path / "0").mkdir()
    spool = Spool(tmp_path / "0")
    spool.close()
    for path in (tmp_path / "0").iterdir():
        path.unlink()
    (tmp_path / "0").rmdir()

    assert not spool.is_writable()
    with pytest.raises(SpoolUnavailable):
        spool.append(hooks(1))


def test_every_append_is_synced(spool):
    assert spool._conn.execute("PRAGMA synchronous").fetchone() == (2,)
    assert spool._conn.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def damage_middle(path, garbage: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(garbage)

"""What a power cut may leave of a file and its name, call by call."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from bench.chaos.power.disk import Disk, in_order, write_state
from bench.chaos.power.trace import FileCall, read_calls

ROOT, FILE = Path("/d"), "/d/file"
CREATE = frozenset({"O_CREAT"})


class Run:
    """Calls one after the other, each a second long."""

    def __init__(self, ignores_sync=lambda _: False, **snapshot: bytes) -> None:
        self.disk = Disk({f"/d/{name}": data for name, data in snapshot.items()}, [ROOT], ignores_sync)
        self.now = 0.0

    def do(self, kind: str, path: str = FILE, **more) -> None:
        self.disk.play(FileCall(self.now, self.now + 1, kind, path, **more))
        self.now += 2

    def states(self, path: str = FILE) -> set[bytes | None]:
        return {self.disk.cut(Random(seed)).get(path) for seed in range(200)}


def test_what_was_synced_is_there():
    run = Run(file=b"old")
    run.do("write", offset=0, data=b"new")
    run.do("sync")

    assert run.states() == {b"new"}
    assert not run.disk.has_unsynced


def test_what_was_not_synced_may_be_there_or_not():
    run = Run(file=b"old")
    run.do("write", offset=0, data=b"new")

    assert run.states() == {b"old", b"new"}


def test_a_sync_covers_no_write_that_was_still_under_way():
    run = Run(file=b"old")
    run.disk.play(FileCall(0.0, 5.0, "write", FILE, offset=0, data=b"new"))
    run.disk.play(FileCall(1.0, 2.0, "sync", FILE))

    assert run.states() == {b"old", b"new"}


def test_a_long_write_is_torn_at_sectors_and_its_parts_come_in_any_order():
    run = Run(file=b"a" * 2048)
    run.do("write", offset=0, data=b"b" * 2048)
    seen = {"".join(chr(state[at]) for at in range(0, 2048, 512)) for state in run.states()}

    assert {"aaaa", "bbbb", "baaa", "abab"} <= seen


def test_a_file_grows_without_gaps_but_a_database_may_have_some():
    plain, database = Run(file=b""), Run(**{"ledger.db": b""})
    plain.do("write", data=b"x" * 4096)
    database.do("write", "/d/ledger.db", data=b"x" * 4096)

    assert all(b"\0" not in state for state in plain.states())
    assert any(b"\0" in state for state in database.states("/d/ledger.db"))


@pytest.mark.parametrize(("synced", "states"), [(False, {None, b""}), (True, {b""})])
def test_a_new_name_is_certain_once_its_directory_is_synced(synced, states):
    run = Run()
    run.do("open", flags=CREATE, descriptor=3)
    if synced:
        run.do("sync", str(ROOT))

    assert run.states() == states


def test_a_rename_may_have_happened_or_not_and_never_half():
    run = Run(file=b"old", fresh=b"new")
    run.do("rename", "/d/fresh", target=FILE)
    pairs = {(state.get(FILE), state.get("/d/fresh")) for state in (run.disk.cut(Random(seed)) for seed in range(50))}

    assert pairs == {(b"old", b"new"), (b"new", None)}


def test_a_truncation_and_a_removal_may_have_happened_or_not():
    run = Run(file=b"long", other=b"x")
    run.do("truncate", size=1)
    run.do("unlink", "/d/other")

    assert run.states() == {b"long", b"l"}
    assert run.states("/d/other") == {b"x", None}


def test_the_files_own_position_counts_where_a_write_names_none():
    run = Run(file=b"12345")
    run.do("open", descriptor=3)
    run.do("write", data=b"ab", descriptor=3)
    run.do("write", data=b"c", descriptor=3)
    run.do("open", descriptor=4, flags=frozenset({"O_APPEND"}))
    run.do("write", data=b"!", descriptor=4)
    run.do("sync")

    assert run.states() == {b"abc45!"}


def test_a_relative_name_is_found_below_the_roots():
    run = Run(file=b"old", fresh=b"new")
    run.do("rename", "fresh", target="file")
    run.do("sync", str(ROOT))

    assert run.states() == {b"new"}


def test_with_its_syncs_taken_out_nothing_is_certain():
    run = Run(ignores_sync=lambda path: path == FILE, file=b"old")
    run.do("write", offset=0, data=b"new")
    run.do("sync")

    assert run.states() == {b"old", b"new"}


def test_a_state_is_written_below_a_folder(tmp_path):
    write_state({"/d/a/b": b"x", "/e/c": b"y"}, ROOT, tmp_path)

    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == ["a/b"]


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def test_calls_are_read_also_when_another_thread_interrupts_them():
    file, folder = hexed("/d/file"), hexed("/d")
    lines = [
        f'7 10.0 openat(AT_FDCWD<{folder}>, "{file}", O_RDWR|O_CREAT, 0600) = 3<{file}> <0.5>',
        f'7 11.0 write(3<{file}>, "{hexed("ab")}", 2) = 2 <0.1>',
        f'7 12.0 pwrite64(3<{file}>, "{hexed("c")}", 1, 9 <unfinished ...>',
        f"8 12.5 fdatasync(3<{file}>) = 0 <1.5>",
        "7 13.0 <... pwrite64 resumed>) = 1 <1.0>",
        f'7 15.0 write(9<socket:[1]>, "{hexed("no")}", 2) = 2 <0.1>',
        f'7 16.0 write(3<{file}>(deleted), "{hexed("no")}", 2) = 2 <0.1>',
        f'7 17.0 rename("{file}", "{file}") = -1 ENOENT (No such file or directory) <0.1>',
        "7 18.0 +++ exited with 0 +++",
    ]

    assert [(call.kind, call.began, call.ended, call.offset, call.data) for call in read_calls(lines)] == [
        ("open", 10.0, 10.5, None, b""),
        ("write", 11.0, 11.1, None, b"ab"),
        ("sync", 12.5, 14.0, None, b""),
        ("write", 12.0, 13.0, 9, b"c"),
    ]


def test_a_sync_is_played_when_it_has_ended_and_a_write_when_it_begins():
    sync, write = FileCall(1.0, 9.0, "sync", FILE), FileCall(2.0, 8.0, "write", FILE, offset=0, data=b"x")

    assert [at for at, _ in in_order([sync, write])] == [2.0, 9.0]

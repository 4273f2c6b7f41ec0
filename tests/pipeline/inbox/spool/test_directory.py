from __future__ import annotations

import pytest

from pipeline.inbox.spool.directory import SpoolDirectory
from pipeline.inbox.spool.queue import SpoolUnavailable
from tests.pipeline.inbox.hooks import hooks


@pytest.fixture
def process(tmp_path):
    """Make the spools of another process. File locks are per open file, so this works in one process."""
    opened: list[SpoolDirectory] = []

    def another() -> SpoolDirectory:
        spools = SpoolDirectory(tmp_path / "spool")
        opened.append(spools)
        spools.refresh()
        return spools

    yield another
    for spools in opened:
        spools.close()


def drain(spools) -> list[str]:
    receipts = []
    while batch := spools.get_next_batch(2, 10_000_000):
        receipts += [hook.receipt for hook in batch.hooks]
        batch.remove()
    return receipts


def test_each_process_has_a_spool_of_its_own(tmp_path, process):
    first, second = process(), process()
    first.append(hooks(1))
    second.append(hooks(2))

    assert (first.depth, second.depth) == (1, 2)
    assert {path.name for path in (tmp_path / "spool").iterdir()} == {"0", "1"}


def test_a_new_process_takes_the_spool_of_a_dead_one(process):
    dead = process()
    dead.append(hooks(3))
    dead.close()

    assert drain(process()) == ["r1", "r2", "r3"]


def test_the_spool_of_a_dead_process_is_adopted_and_drained_first(process):
    living, dying = process(), process()
    dying.append(hooks(3))
    living.append(hooks(2, first=4))
    dying.close()
    living.refresh()

    assert drain(living) == ["r1", "r2", "r3", "r4", "r5"]


def test_the_spool_of_a_living_process_is_left_alone(process):
    first, second = process(), process()
    second.append(hooks(3))
    first.refresh()

    assert first.depth == 0


def test_an_adopted_spool_is_released_once_it_is_empty(process):
    living, dying = process(), process()
    dying.append(hooks(1))
    dying.close()
    living.refresh()
    drain(living)
    living.refresh()
    next_one = process()
    next_one.append(hooks(7))

    assert (living.depth, next_one.depth) == (0, 7)


def test_the_oldest_hook_of_all_spools_says_since_when_they_wait(process):
    spools = process()
    assert spools.get_oldest_received_at() is None
    spools.append(hooks(2))

    assert spools.get_oldest_received_at() == hooks(1)[0].received_at


def test_bodies_are_readable_by_no_other_user(tmp_path, process):
    process()

    assert (tmp_path / "spool" / "0").stat().st_mode & 0o077 == 0


def test_a_directory_that_cannot_be_created_refuses_hooks(tmp_path):
    (tmp_path / "spool").write_text("a file where the directory should be")
    spools = SpoolDirectory(tmp_path / "spool")
    spools.refresh()

    assert not spools.is_writable()
    with pytest.raises(SpoolUnavailable):
        spools.append(hooks(1))


def test_a_directory_that_could_not_be_created_is_tried_again(tmp_path):
    (tmp_path / "spool").write_text("in the way")
    spools = SpoolDirectory(tmp_path / "spool")
    spools.refresh()
    (tmp_path / "spool").unlink()
    spools.append(hooks(1))

    assert spools.depth == 1
    spools.close()


def test_a_spool_file_that_cannot_be_opened_makes_the_spool_unwritable(tmp_path):
    (tmp_path / "spool" / "0" / "hooks.db").mkdir(parents=True)
    spools = SpoolDirectory(tmp_path / "spool")
    spools.refresh()

    assert not spools.is_writable()


def test_strange_names_in_the_spool_directory_are_left_alone(tmp_path, process):
    (tmp_path / "spool" / "lost+found").mkdir(parents=True)
    process()

    assert list((tmp_path / "spool" / "lost+found").iterdir()) == []

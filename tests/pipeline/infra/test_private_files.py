"""The files of an installation are readable by the user who runs it only."""

from __future__ import annotations

import os
import stat

import pytest

from pipeline.infra.private_files import find_exposed_files, restrict_to_owner, set_private_umask


@pytest.fixture(autouse=True)
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_file_is_readable_by_its_owner_only(tmp_path):
    set_private_umask()
    (tmp_path / "made").write_text("")

    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600


def test_a_database_in_a_directory_created_beforehand_is_found(tmp_path):
    (tmp_path / "cratewire.db").write_text("")

    assert find_exposed_files(tmp_path, "") == [tmp_path / "cratewire.db"]


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_database_elsewhere_is_checked_with_the_files_beside_it(tmp_path, suffix):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / f"ledger.db{suffix}").write_text("")

    assert find_exposed_files(tmp_path, f"sqlite:///{elsewhere}/ledger.db") == [elsewhere / f"ledger.db{suffix}"]


def test_folders_are_checked_with_all_they_contain(tmp_path):
    (tmp_path / "spool" / "0").mkdir(parents=True, mode=0o700)
    (tmp_path / "spool").chmod(0o700)
    (tmp_path / "spool" / "0" / "hooks.db").write_text("")

    assert find_exposed_files(tmp_path, "") == [tmp_path / "spool" / "0" / "hooks.db"]


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("")

    assert find_exposed_files(tmp_path, "") == []


def test_restricting_removes_the_rights_of_others_and_keeps_the_owners(tmp_path):
    key = tmp_path / "secret_key"
    key.write_text("")
    key.chmod(0o644)

    assert restrict_to_owner([key]) == []
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_deleted_file_needs_no_restricting(tmp_path):
    assert restrict_to_owner([tmp_path / "cratewire.db-wal"]) == []


def test_a_path_that_cannot_be_restricted_is_returned(tmp_path):
    (tmp_path / "not-a-folder").write_text("")

    assert restrict_to_owner([tmp_path / "not-a-folder" / "x"]) == [tmp_path / "not-a-folder" / "x"]

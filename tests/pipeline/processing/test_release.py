"""A release has another hash as soon as one of its files differs."""

from __future__ import annotations

import pytest

from pipeline.processing.release import RELEASE, hash_source


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/one.py").write_text("a = 1\n")
    return tmp_path


def test_the_same_files_have_the_same_hash(folder):
    assert hash_source([folder]) == hash_source([folder])


@pytest.mark.parametrize(
    ("file", "content"), [("deep/one.py", "a = 2\n"), ("two.py", ""), ("deep/two.py", "a = 1\n"), ("a.lua", "")]
)
def test_a_changed_or_added_file_gives_another_hash(folder, file, content):
    before = hash_source([folder])
    (folder / file).write_text(content)

    assert hash_source([folder]) != before


def test_other_files_do_not_change_the_hash(folder):
    before = hash_source([folder])
    (folder / "deep/one.pyc").write_text("")

    assert hash_source([folder]) == before


def test_the_running_release_is_not_hashed_from_nothing():
    assert hash_source([]) != RELEASE

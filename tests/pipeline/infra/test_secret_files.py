"""Small secrets in the data directory."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.infra.secret_files import read_or_create, replace_file


def test_a_secret_is_generated_once(tmp_path):
    numbers = map(str, itertools.count())

    assert (
        read_or_create(tmp_path / "key", lambda: next(numbers))
        == read_or_create(tmp_path / "key", lambda: next(numbers))
        == "0"
    )


def test_of_many_that_generate_it_at_once_all_get_the_winner(tmp_path):
    numbers = map(str, itertools.count())

    with ThreadPoolExecutor(16) as pool:
        secrets = list(pool.map(lambda _: read_or_create(tmp_path / "key", lambda: next(numbers)), range(64)))

    assert len(set(secrets)) == 1


def test_no_temporary_file_is_left(tmp_path):
    read_or_create(tmp_path / "key", lambda: "text")
    replace_file(tmp_path / "key", "other")

    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_secret_can_be_replaced(tmp_path):
    read_or_create(tmp_path / "key", lambda: "text")

    replace_file(tmp_path / "key", "other")

    assert read_or_create(tmp_path / "key", lambda: "unused") == "other"


def test_an_empty_file_is_not_a_secret(tmp_path):
    (tmp_path / "key").write_text("\n")

    with pytest.raises(Misconfigured, match="is empty"):
        read_or_create(tmp_path / "key", lambda: "unused")


def test_the_same_text_is_not_written_again(tmp_path):
    replace_file(tmp_path / "key", "text")
    before = (tmp_path / "key").stat().st_ino
    replace_file(tmp_path / "key", "text")

    assert (tmp_path / "key").stat().st_ino == before

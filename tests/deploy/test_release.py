"""`make release`, on a small repository of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.deploy.release.__main__ import NotReleasable, check_names, make_release
from tests.deploy.release.vendored import LICENSES

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "small"
version = "1.2.3"
requires-python = ">=3.11"
license = "MIT"
[tool.hatch.build.targets.wheel]
packages = ["small"]
"""
LOCK = f"""\
odd==1.0 \\
    --hash=sha256:{"0" * 64}
    # via
    #   cratewire (pyproject.toml)
"""
SCRIPT = "odd.js: odd 1.0, https://example.com\n\nMIT License\n"
UNRELEASED = "# Changelog\n\n## Unreleased\n"
RELEASED = f"{UNRELEASED}\n## 1.2.3, 2026-12-01\n"


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "small").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "CHANGELOG.md").write_text(UNRELEASED)
    (folder / "product.lock").write_text(LOCK)
    (folder / LICENSES).parent.mkdir(parents=True)
    (folder / LICENSES).write_text(SCRIPT)
    (folder / LICENSES).with_name("odd.js").touch()
    (folder / "small" / "__init__.py").touch()
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def test_a_release_is_the_packages_what_they_are_made_of_and_all_their_sums(repository, tmp_path):
    made = make_release(repository, tmp_path / "dist")
    described = {"small-1.2.3-py3-none-any.whl", "small-1.2.3.tar.gz", "cratewire-1.2.3.cdx.json"}

    assert {path.name for path in made} == {*described, "SHA256SUMS"}
    assert {line.split()[1] for line in made[-1].read_text().splitlines()} == described
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "dist", check=True)


def test_a_release_of_a_commit_is_the_same_bytes_again(repository, tmp_path):
    first, again = make_release(repository, tmp_path / "first"), make_release(repository, tmp_path / "again")

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_a_file_that_is_in_no_commit_is_in_no_release(repository, tmp_path):
    before = make_release(repository, tmp_path / "before")
    (repository / "small" / "stray.py").write_text("KEY = 'secret'\n")

    assert [path.read_bytes() for path in make_release(repository, tmp_path / "after")] == [
        path.read_bytes() for path in before
    ]


def test_a_changed_file_is_not_released(repository, tmp_path):
    (repository / "CHANGELOG.md").write_text("changed\n")

    with pytest.raises(NotReleasable, match=r"CHANGELOG\.md"):
        make_release(repository, tmp_path / "dist")


def test_files_of_another_release_are_neither_replaced_nor_summed(repository, tmp_path):
    make_release(repository, tmp_path / "dist")

    with pytest.raises(NotReleasable, match="already"):
        make_release(repository, tmp_path / "dist")


@pytest.mark.parametrize("tags", [["v1.2.3"], ["v1.2.3", "candidate"], [], ["candidate"]])
def test_a_commit_with_its_own_tag_or_with_none_is_released(tags):
    check_names(tags, "1.2.3", RELEASED)


@pytest.mark.parametrize(
    ("tags", "changelog", "says"),
    [(["v1.2.4"], RELEASED, "not of version 1.2.3"), (["v1.2.3"], UNRELEASED, "no line '## 1.2.3")],
)
def test_a_tag_that_names_another_version_or_no_section_is_refused(tags, changelog, says):
    with pytest.raises(NotReleasable, match=says):
        check_names(tags, "1.2.3", changelog)

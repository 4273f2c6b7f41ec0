"""The Dockerfile, as far as it can be checked without an engine."""

from __future__ import annotations

import json
import re
import tomllib
from fnmatch import fnmatch

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.release.lock import leave_out_build_only, read_lock
from tests.deploy.shell import COMMANDS, EXEC, ROOT, SETTINGS

TEXT = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
INSTRUCTIONS = [
    tuple(line.split(maxsplit=1))
    for line in re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", TEXT)).splitlines()
    if line.strip()
]
LAST_STAGE = INSTRUCTIONS[[name for name, _ in INSTRUCTIONS].index("FROM", 1) :]
KNOWN = {"FROM", "RUN", "ENV", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD"}


def all_of(wanted: str, instructions=INSTRUCTIONS) -> list[str]:
    return [words for name, words in instructions if name == wanted]


def ignored(path: str) -> bool:
    """The last pattern of .dockerignore that fits decides."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    fitting = [one for one in patterns if fnmatch(path, one.lstrip("!"))]
    return bool(fitting) and not fitting[-1].startswith("!")


def copied() -> list[str]:
    return [word for words in all_of("COPY") if "--from" not in words for word in words.split()[:-1]]


def test_every_instruction_is_one():
    assert {name for name, _ in INSTRUCTIONS} <= KNOWN


def test_every_stage_begins_with_the_newest_python_we_support():
    newest = int(re.search(r"<3\.(\d+)", PROJECT["project"]["requires-python"])[1]) - 1

    assert {words.split(" AS ")[0].partition("@")[0] for words in all_of("FROM")} == {f"python:3.{newest}-slim"}


def test_what_is_copied_from_a_stage_comes_from_one_that_is_named():
    named = {words.split(" AS ")[1] for words in all_of("FROM") if " AS " in words}

    assert set(re.findall(r"COPY --from=(\w+)", TEXT)) == named


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_exists_and_reaches_the_engine(path):
    assert (ROOT / path).exists()
    assert not ignored(path)


def test_every_package_is_copied():
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= set(copied())


@pytest.mark.parametrize("path", [".env", ".git", "var", ".venv", "tests", "bench"])
def test_what_may_hold_secrets_never_reaches_the_engine(path):
    assert ignored(path)


def test_packages_are_installed_with_their_hashes():
    installs = re.findall(r"pip install (.*)", TEXT)

    assert [one for one in installs if "--require-hashes -r product.lock" not in one and "--no-deps" not in one] == []


def pinned(lock):
    return {
        canonicalize_name(name) for name in re.findall(r"(?m)^([a-z0-9-]+)(?:\[\S+\])?==", (ROOT / lock).read_text())
    }


def test_the_image_holds_every_dependency_and_no_development_tool():
    image = pinned("product.lock")
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["otel"]]

    assert {canonicalize_name(Requirement(one).name) for one in declared} <= image
    assert image.isdisjoint({"pytest", "mypy", "ruff", "playwright", "schemathesis"})


def test_what_only_builds_is_not_left_in_the_image():
    entries = read_lock((ROOT / "product.lock").read_text())
    build_only = {one.name for one in entries} - {one.name for one in leave_out_build_only(entries)}

    assert set(re.search(r"pip uninstall -y ([^&]+) &&", TEXT)[1].split()) == build_only


def test_what_the_image_holds_has_the_versions_that_are_tested():
    def versions(lock):
        return dict(re.findall(r"(?m)^([a-z0-9-]+)(?:\[\S+\])?==(\S+)", (ROOT / lock).read_text()))

    assert versions("product.lock").items() <= versions("requirements.lock").items()


def test_it_does_not_run_as_root():
    assert all_of("USER", LAST_STAGE) == ["cratewire"]


def test_it_is_web_as_the_procfile_starts_it():
    assert all_of("CMD", LAST_STAGE) == [EXEC + COMMANDS["web"]]


def test_it_says_whether_it_is_healthy():
    (check,) = all_of("HEALTHCHECK")

    assert json.loads(check.partition("CMD ")[2]) == ["python", "-m", "receiver.alive", "web"]


def test_every_variable_of_ours_is_a_setting():
    assert set(re.findall(r"(CRATEWIRE_\w+)=", TEXT)) - SETTINGS == set()

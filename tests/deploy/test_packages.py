"""The wheel and the sdist: what is in them, that they are the same bytes each time, and that the wheel runs alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import cryptography
import pytest

from pipeline.settings import read_environment
from tests.deploy.release.packages import Packages, build_packages
from tests.deploy.shell import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = PROJECT["project"]["version"]
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
BUILT_AT_S = 1_800_000_000
DEVELOPMENT = ("tests/", "bench/", "docs/screenshots/", ".ci/", "requirements.lock", "mutants.lock")
UV = Path(sys.executable).with_name("uv")


def list_tracked(*paths: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(listed.stdout.splitlines())


def copy_tracked(into: Path) -> Path:
    for path in list_tracked():
        (into / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, into / path)
    return into


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Packages:
    return build_packages(copy_tracked(tmp_path_factory.mktemp("source")), tmp_path_factory.mktemp("dist"), BUILT_AT_S)


def names_in_wheel(built: Packages) -> set[str]:
    with zipfile.ZipFile(built.wheel) as wheel:
        return set(wheel.namelist())


def names_in_sdist(built: Packages) -> set[str]:
    with tarfile.open(built.sdist) as sdist:
        return {name.partition("/")[2] for name in sdist.getnames()}


def test_the_wheel_has_every_file_of_the_product_and_no_other(built):
    about = f"cratewire-{VERSION}.dist-info/"

    assert {name for name in names_in_wheel(built) if not name.startswith(about)} == list_tracked(*PACKAGES)


def test_the_wheel_has_the_licence_and_the_command(built):
    about = f"cratewire-{VERSION}.dist-info/"

    assert {f"{about}licenses/LICENSE", f"{about}entry_points.txt"} <= names_in_wheel(built)


def test_the_sdist_has_the_product_and_what_deploys_and_explains_it(built):
    explained = {path for path in list_tracked("docs", "deploy") if not path.startswith("docs/screenshots/")}
    others = {"README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "docker-compose.yml", "Procfile", "product.lock"}

    assert list_tracked(*PACKAGES) | explained | others <= names_in_sdist(built)


def test_the_sdist_has_no_development_parts(built):
    assert [name for name in names_in_sdist(built) if name.startswith(DEVELOPMENT)] == []


def test_both_are_the_same_bytes_wherever_and_whenever_they_are_built(built, tmp_path):
    elsewhere = copy_tracked(tmp_path / "elsewhere")
    for path in list_tracked():
        (elsewhere / path).chmod(0o600)
        os.utime(elsewhere / path, (1, 1))

    again = build_packages(elsewhere, tmp_path / "dist", BUILT_AT_S)

    assert again.wheel.read_bytes() == built.wheel.read_bytes()
    assert again.sdist.read_bytes() == built.sdist.read_bytes()


def test_the_sdist_builds_the_same_wheel(built, tmp_path):
    with tarfile.open(built.sdist) as sdist:
        sdist.extractall(tmp_path, filter="data")

    again = build_packages(tmp_path / f"cratewire-{VERSION}", tmp_path / "dist", BUILT_AT_S)

    assert again.wheel.read_bytes() == built.wheel.read_bytes()


@pytest.fixture(scope="module")
def command(built, tmp_path_factory) -> Path:
    """The command `cratewire` of an environment with the wheel and its dependencies, without this checkout."""
    environment = tmp_path_factory.mktemp("installed") / "environment"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, built.wheel], check=True
    )
    # The dependencies are on its path; the .pth files beside them, of which one names this checkout, count for nothing.
    (folder,) = environment.glob("lib/python*/site-packages")
    (folder / "dependencies.pth").write_text(str(Path(cryptography.__file__).parents[1]))
    return python.with_name("cratewire")


def run(command: Path, *arguments: str, folder: Path) -> str:
    environment = {"PATH": read_environment(None)["PATH"], "CRATEWIRE_DATA_DIR": str(folder / "data")}
    return subprocess.run(
        [command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_the_installed_wheel_says_its_version(command, tmp_path):
    assert run(command, "--version", folder=tmp_path) == f"cratewire {VERSION}\n"


def test_the_installed_wheel_makes_a_ledger_without_a_checkout(command, tmp_path):
    run(command, "migrate", folder=tmp_path)

    assert (tmp_path / "data" / "cratewire.db").stat().st_size > 0


def test_the_installed_wheel_has_neither_tests_nor_benchmarks(command, tmp_path):
    found = "from importlib.util import find_spec as f; print(*[n for n in ('pipeline', 'tests', 'bench') if f(n)])"

    assert run(command.with_name("python"), "-c", found, folder=tmp_path) == "pipeline\n"

"""Rules for the whole checkout: import contracts, length of files, forbidden texts, pinned dependencies."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
MAX_FILE_LINES = 320
CONFIG: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LINTER = CONFIG["tool"]["importlinter"]
CONTRACTS = {contract["name"]: contract for contract in LINTER["contracts"]}


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def test_every_import_contract_is_kept():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_on_disk_is_named_by_a_contract():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}

    assert set(LINTER["root_packages"]) == packages


def test_every_package_on_disk_is_shipped_but_tests_and_benchmarks():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}

    assert set(CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == packages


def test_every_room_has_its_place_among_the_layers():
    rooms = set(LINTER["root_packages"]) - {"sandbox", "bench"}

    assert set(CONTRACTS["The rooms: imports go one way"]["layers"]) == rooms


def test_every_destination_but_the_port_and_the_registry_is_protected():
    name = "Nothing outside the destinations knows one platform from another"
    platforms = {
        f"pipeline.destinations.{path.parent.name}" for path in ROOT.glob("pipeline/destinations/*/__init__.py")
    }

    assert set(CONTRACTS[name]["protected_modules"]) == platforms


def test_every_warehouse_but_the_port_and_the_registry_is_protected():
    name = "Nothing outside the warehouses knows one warehouse from another"
    warehouses = {f"pipeline.warehouses.{path.parent.name}" for path in ROOT.glob("pipeline/warehouses/*/__init__.py")}

    assert set(CONTRACTS[name]["protected_modules"]) == warehouses


def test_every_folder_with_code_is_a_package():
    folders = {path.parent for path in committed() if path.suffix == ".py" and "migrations" not in path.parts}

    assert [str(folder) for folder in folders - {ROOT} if not (folder / "__init__.py").exists()] == []


def test_no_python_file_is_too_long():
    long = {
        str(path.relative_to(ROOT)): length
        for path in committed()
        if path.suffix == ".py" and (length := len(text_of(path).splitlines())) > MAX_FILE_LINES
    }

    assert long == {}


# Each pattern has a bracket, so that this file does not match itself.
@pytest.mark.parametrize(
    "forbidden", [r"p[y]pi\.(org|python)", r"python[h]osted", r"--(extra-)?inde[x]-url", r"--find-lin[k]s"]
)
def test_no_committed_file_names_a_package_index(forbidden):
    naming = [str(path.relative_to(ROOT)) for path in committed() if re.search(forbidden, text_of(path))]

    assert naming == []


@pytest.mark.parametrize("name", ["requirements.lock", "product.lock", "mutants.lock"])
def test_every_package_in_a_lock_is_pinned_with_a_hash(name):
    lock = text_of(ROOT / name)
    packages = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s+#.*\n?", "", lock).strip())

    assert [
        package for package in packages if not re.match(r"[a-z0-9-]+(\[\S+\])?==\S+.*\n? *.*--hash=sha256:", package)
    ] == []


def test_every_declared_dependency_is_in_the_lock():
    project = CONFIG["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *project["optional-dependencies"]["build"],
    ]
    names = {re.split(r"[\[<>=~]", requirement)[0] for requirement in wanted}

    assert names <= set(re.findall(r"(?m)^([a-z0-9-]+)(?:\[\S+\])?==", text_of(ROOT / "requirements.lock")))


def test_the_ci_runs_make_test_and_nothing_else():
    lines = [line for line in text_of(ROOT / ".ci" / "run").splitlines() if line and not line.startswith("#")]

    assert lines[-1] == "exec make test"


def test_the_lock_names_every_extra_that_its_packages_ask_for():
    """Otherwise an older pip picks the newest version of such a package, for which the lock has no hash, and fails."""
    pinned = re.findall(r"(?m)^([a-z0-9-]+)(?:\[(\S+)\])?==", text_of(ROOT / "requirements.lock"))
    locked = {name: set(extras.split(",")) for name, extras in pinned}
    requirements = [
        requirement for name in locked if is_installed(name) for requirement in requirements_of(name, locked[name])
    ]

    assert [
        str(requirement)
        for requirement in requirements
        if not requirement.extras <= locked[canonicalize_name(requirement.name)]
    ] == []


def is_installed(name: str) -> bool:
    """Packages of the lock for other operating systems are not installed."""
    return any(True for _ in importlib.metadata.distributions(name=name))


def requirements_of(name: str, extras: set[str]) -> list[Requirement]:
    """Return the requirements of a package with these extras on this system."""
    requirements = map(Requirement, importlib.metadata.requires(name) or [])
    return [
        requirement
        for requirement in requirements
        if not requirement.marker or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
    ]

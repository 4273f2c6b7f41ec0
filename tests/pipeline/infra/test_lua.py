from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.infra.lua import read_lua

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted((ROOT / "pipeline").rglob("*.lua"))


def test_a_script_is_read_from_the_package_of_the_module_that_runs_it():
    path = ROOT / "pipeline" / "infra" / "redis_lease_renew.lua"

    assert read_lua("pipeline.infra", "redis_lease_renew") == path.read_text("utf-8")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_begins_with_its_keys_and_arguments(script: Path):
    comment = [line for line in script.read_text("utf-8").splitlines() if line.startswith("-- ")]

    assert any(line.startswith("-- KEYS: ") for line in comment)
    assert any("ARGV: " in line for line in comment)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_module_beside_a_script_runs_it(script: Path):
    modules = (path for path in script.parent.glob("*.py") if script.stem.startswith(path.stem))

    assert any(f'read_lua(__package__, "{script.stem}")' in path.read_text("utf-8") for path in modules)

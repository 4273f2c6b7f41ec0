"""A row that begins with the release before needs its code, and says so where the history is missing."""

from __future__ import annotations

import pytest

from bench.chaos import release_before, run
from bench.chaos.fault_run import Fault
from bench.chaos.release_before import unpack_release_before


def test_the_release_before_is_unpacked_beside_this_one(tmp_path):
    code = unpack_release_before(tmp_path)
    if code is None:
        pytest.skip("a checkout without history")

    assert "def validate(self: Any, batch: Batch) -> Batch | None:" in (code / "tasks" / "hooks.py").read_text()


@pytest.fixture
def no_history(monkeypatch):
    monkeypatch.setattr(release_before, "COMMIT", "0" * 40)


@pytest.mark.usefixtures("no_history")
def test_a_checkout_without_that_history_has_no_release_before(tmp_path):
    assert unpack_release_before(tmp_path) is None


@pytest.mark.usefixtures("no_history")
def test_its_row_is_skipped_and_says_why():
    fault = Fault("upgrade", pytest.fail, begins_before=True)

    (row,) = run.ChaosRun().rows([fault], ["sqlite"])

    assert (row.holds, row.skipped) == (False, "this checkout does not have the release before")

"""The rows of the spool see a disk that was never full, a spool that was never cut, and a refusal in wrong words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.chaos.faults.spool import check_cut_spools, check_refusals
from bench.chaos.hooks import Hook
from bench.chaos.load import SentHook
from tests.chaos.fault_runs import make_fault_run


def sent_hook(status: int | None, retry_after: str | None = None) -> SentHook:
    return SentHook(Hook(0, 0, b"", "1", ("a",)), sent_at=1, answered_at=2, status=status, retry_after=retry_after)


def test_a_refusal_that_asks_to_come_again_is_as_it_should_be():
    here = make_fault_run(sent_hook(200), sent_hook(503, "5"))

    check_refusals(here)

    assert not here.row.broken


@pytest.mark.parametrize("others", [[sent_hook(503)], [sent_hook(500, "5")], [sent_hook(404)]])
def test_a_refusal_in_other_words_breaks_the_row(others: list[SentHook]):
    here = make_fault_run(sent_hook(503, "5"), *others)

    check_refusals(here)

    assert here.row.broken


@pytest.mark.parametrize("status", [200, None])
def test_a_disk_that_refused_nothing_breaks_the_row(status: int | None):
    here = make_fault_run(sent_hook(status))

    check_refusals(here)

    assert here.row.broken


def test_no_spool_to_cut_breaks_the_row(tmp_path: Path):
    here = make_fault_run(here=SimpleNamespace(data_dir=tmp_path))

    check_cut_spools(here)

    assert here.row.broken

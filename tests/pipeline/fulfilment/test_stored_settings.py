"""The settings as the ledger has them, which another version may have written."""

from __future__ import annotations

from pipeline.fulfilment.stored_settings import change_stored, load_settings

OLDER = {"earliest_order_at": "2026-01-01", "future_days": 3, "removed_since": 500}


def test_a_setting_that_this_version_does_not_have_is_passed_over():
    assert load_settings(OLDER).future_days == 3


def test_a_change_leaves_out_what_this_version_does_not_have():
    changed = change_stored(OLDER, {"future_days": "4"})

    assert (changed["future_days"], "removed_since" in changed) == (4, False)

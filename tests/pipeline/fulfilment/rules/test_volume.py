from __future__ import annotations

import pytest

from pipeline.fulfilment.rules.volume import BatchVolume, judge_volume

QUIET = [10] * 30


@pytest.mark.parametrize(
    ("history", "sent_today", "waiting", "reason"),
    [
        ([], 0, 100, ""),
        ([], 0, 101, "unusual_volume"),
        (QUIET, 50, 50, ""),
        (QUIET, 50, 51, "unusual_volume"),
        ([0, 200, 10], 0, 600, ""),
        ([0, 200, 10], 1, 600, "unusual_volume"),
        ([900, *QUIET], 0, 101, "unusual_volume"),  # the day before the last thirty
        (QUIET, 500, 0, ""),
    ],
)
def test_more_than_three_times_the_best_day_is_stopped(history, sent_today, waiting, reason):
    verdict = judge_volume(history, sent_today, waiting, {})

    assert verdict.reason == reason
    assert verdict.is_stopped is bool(reason)


@pytest.mark.parametrize(
    ("batch", "is_stopped"),
    [
        (BatchVolume(20_000, sent=0, waiting=20_000), False),
        (BatchVolume(20_000, sent=12_000, waiting=8_000), False),
        (BatchVolume(20_000, sent=20_000, waiting=2_000), False),
        (BatchVolume(20_000, sent=20_000, waiting=2_001), True),
        (BatchVolume(20_000, sent=20_000, waiting=20_000), True),
        (BatchVolume(30, sent=30, waiting=20), False),
        (BatchVolume(30, sent=30, waiting=21), True),
        (BatchVolume(10, sent=90, waiting=0), False),
    ],
)
def test_a_whole_batch_passes_in_a_day_and_a_second_load_of_it_does_not(batch, is_stopped):
    verdict = judge_volume(QUIET, 0, 0, {5: batch})

    assert verdict.is_stopped is is_stopped
    assert (verdict.batch_id, verdict.reason) == ((5, "unusual_batch") if is_stopped else (None, ""))


def test_a_batch_does_not_let_other_boxes_pass():
    batches = {5: BatchVolume(20_000, sent=0, waiting=20_000)}

    assert judge_volume(QUIET, 0, 101, batches).reason == "unusual_volume"

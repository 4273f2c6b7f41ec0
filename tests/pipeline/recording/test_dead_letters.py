"""Hooks that become no event: kept dead, with their bytes and their reason, and judged by the token of their URL."""

from __future__ import annotations

import zlib

import pytest

from pipeline.ledger.schema import core
from tests.builders import HOUR, NOW, order
from tests.pipeline.recording.test_batch import failure


@pytest.mark.parametrize(
    ("how", "reason"), [({"store": "nobodys"}, "unknown_store"), ({"version": 2}, "token_revoked")]
)
def test_a_hook_through_a_url_that_is_nobodys_is_kept_dead(recorder, how, reason):
    assert recorder.record_one("order_new", order(), **how).dead == 1
    assert [(row.reason, zlib.decompress(row.raw)) for row in recorder.rows(core.DeadHook)] == [(reason, b"raw")]


def test_of_a_hook_to_a_revoked_address_the_beginning_is_kept_and_its_size(recorder):
    hook = recorder.hook("order_new", order(), version=0)
    recorder.record(hook, raws={hook["entry_id"]: (b"x" * 5_000, "q" * 3_000)})
    (row,) = recorder.rows(core.DeadHook)

    assert (zlib.decompress(row.raw), row.query, row.detail) == (b"x" * 1_000, "q" * 1_000, {"size": 8_000})


def test_of_a_store_s_hooks_to_revoked_addresses_a_hundred_are_kept_and_the_rest_counted(recorder):
    recorder.add_store(2, "other")
    first = [recorder.hook("order_new", order(), version=0) for _ in range(103)]
    assert recorder.record(*first).dead == 103
    recorder.record_one("order_new", order(), version=0, store="other")
    assert recorder.record_one("order_new", order(), version=0).dead == 1
    rows = recorder.rows(core.DeadHook)

    assert [row.store for row in rows] == ["acme"] * 100 + ["other"]
    assert [row.detail.get("further") for row in rows if "further" in row.detail] == [4]


def test_one_that_is_replayed_to_no_end_stays_one_of_the_hundred(recorder):
    hooks = [recorder.hook("order_new", order(), version=0) for _ in range(100)]
    recorder.record(*hooks)
    recorder.record({**hooks[7], "source": "replay"})
    rows = recorder.rows(core.DeadHook)

    assert (len(rows), rows[7].times, [row.detail for row in rows if "further" in row.detail]) == (100, 2, [])


@pytest.mark.parametrize(
    ("version", "late", "dead"), [(2, 0, 0), (2, HOUR, 0), (1, -1, 0), (1, 0, 1), (0, -1, 1), (3, -1, 1)]
)
def test_the_last_urls_before_a_rotation_hold_until_their_time(recorder, version, late, dead):
    until = NOW + 24 * HOUR
    recorder.change_store(token_version=2, old_token_until=until)

    assert recorder.record_one("order_new", order(), version=version, at=until + late).dead == dead


def test_urls_that_were_replaced_at_once_do_not_hold_at_all(recorder):
    recorder.change_store(token_version=2, old_token_until=None)

    assert recorder.record_one("order_new", order(), version=1, at=0).dead == 1


def test_an_unreadable_hook_is_kept_with_its_bytes_and_its_reason(recorder):
    recorder.record(failed=[failure(recorder.hook("order_new", {}))])
    (dead,) = recorder.rows(core.DeadHook)
    assert (dead.store_id, dead.stage, dead.reason, dead.times) == (1, "decode", "not_json", 1)


def test_a_dead_hook_that_dies_again_is_counted_not_doubled(recorder):
    hook = recorder.hook("order_new", {})
    recorder.record(failed=[failure(hook)])
    recorder.record(failed=[failure(hook, "empty")])
    assert [(row.times, row.reason) for row in recorder.rows(core.DeadHook)] == [(2, "empty")]


def test_a_replayed_hook_that_lives_is_marked(recorder):
    recorder.record(failed=[failure(recorder.hook("order_new", {}, receipt="r1"))])
    recorder.record_one("order_new", order(), receipt="r1", source="replay")
    assert recorder.rows(core.DeadHook)[0].replayed_at == NOW + 1

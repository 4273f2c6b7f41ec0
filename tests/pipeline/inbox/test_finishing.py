"""What is left of a batch in Redis once the ledger holds it."""

from __future__ import annotations

from pipeline import keys
from pipeline.inbox import stream, tries
from pipeline.inbox.finishing import finish
from pipeline.inbox.turn import take_turn
from tests.pipeline.inbox.hooks import hook


def test_nothing_of_a_finished_batch_is_left_and_the_turn_is_free(redis_client):
    stream.ensure_group(redis_client)
    stream.add_all(redis_client, [hook(1), hook(2), hook(3)])
    token = take_turn(redis_client)
    entries = stream.read(redis_client, 2, 1_000_000)
    tries.portion(redis_client, entries, token)

    finish(redis_client, [one.entry_id for one in entries], [(one.raw, one.query) for one in entries], token)

    assert stream.depth(redis_client) == 1
    assert redis_client.xpending(keys.INBOX, keys.INBOX_GROUP)["pending"] == 0
    assert not redis_client.exists(keys.TRIES, keys.TRIED, keys.INBOX_LEASE)
    assert take_turn(redis_client) > token


def test_a_batch_of_a_turn_that_is_somebody_elses_by_now_takes_nobodys_turn_away(redis_client):
    stream.ensure_group(redis_client)
    lost = take_turn(redis_client)
    redis_client.delete(keys.INBOX_LEASE)
    held = take_turn(redis_client)

    finish(redis_client, [], [], lost)

    assert int(redis_client.get(keys.INBOX_LEASE)) == held

"""What is left of a batch in Redis once the ledger holds it."""

from __future__ import annotations

from pipeline.inbox import poison, stream
from pipeline.inbox.chain_lease import acquire_chain_lease
from pipeline.inbox.finish import finish_batch
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook


def test_nothing_of_a_finished_batch_is_left_and_the_turn_is_free(redis_client):
    stream.ensure_group(redis_client)
    stream.add_all(redis_client, [hook(1), hook(2), hook(3)])
    token = acquire_chain_lease(redis_client)
    entries = stream.read(redis_client, 2, 1_000_000)
    poison.split_poison(redis_client, entries, token)

    finish_batch(redis_client, [one.entry_id for one in entries], [(one.raw, one.query) for one in entries], token)

    assert stream.depth(redis_client) == 1
    assert redis_client.xpending(redis_keys.INBOX, redis_keys.INBOX_GROUP)["pending"] == 0
    assert not redis_client.exists(redis_keys.POISON_TRIES, redis_keys.CURRENT_BATCH, redis_keys.INBOX_LEASE)
    assert acquire_chain_lease(redis_client) > token


def test_a_batch_of_a_turn_that_is_somebody_elses_by_now_takes_nobodys_turn_away(redis_client):
    stream.ensure_group(redis_client)
    lost = acquire_chain_lease(redis_client)
    redis_client.delete(redis_keys.INBOX_LEASE)
    held = acquire_chain_lease(redis_client)

    finish_batch(redis_client, [], [], lost)

    assert int(redis_client.get(redis_keys.INBOX_LEASE)) == held

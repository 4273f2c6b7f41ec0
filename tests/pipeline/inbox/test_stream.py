from __future__ import annotations

import pytest
from fakeredis import FakeRedis, FakeServer
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from pipeline.inbox import stream
from pipeline.inbox.chain_lease import acquire_chain_lease, release_chain_lease
from pipeline.infra import redis_keys
from tests.pipeline.inbox.hooks import hook, hooks


@pytest.fixture(params=[2, 3])
def redis(request) -> FakeRedis:
    return FakeRedis(protocol=request.param)


def receipts(entries) -> list[str]:
    return [entry.receipt for entry in entries]


def read(redis, count=100, max_bytes=10_000_000):
    return stream.read(redis, count, max_bytes)


def test_a_hook_comes_out_as_it_went_in(redis):
    given = hook(raw=b'\xff\x00"{', query="a=%7B%7D&b=\u00e9", source="replay", version=7)
    stream.add(redis, given)

    (entry,) = read(redis)

    assert [getattr(entry, name) for name in given.__slots__] == [getattr(given, name) for name in given.__slots__]
    assert entry.entry_id.partition("-")[1] == "-"


def test_a_hook_without_a_query_has_none(redis):
    stream.add(redis, hook())

    assert read(redis)[0].query is None


def test_hooks_are_read_in_the_order_they_were_added(redis):
    stream.add_all(redis, hooks(70))

    assert receipts(read(redis)) == [f"r{number}" for number in range(1, 71)]


def test_a_read_returns_no_more_than_the_count(redis):
    stream.add_all(redis, hooks(70))

    assert len(read(redis, count=40)) == 40


def test_a_read_stops_at_its_size(redis):
    stream.add_all(redis, [hook(number, size=1_000) for number in range(10)])

    assert len(read(redis, max_bytes=3_500)) == 3


def test_a_read_returns_one_hook_however_large(redis):
    stream.add_all(redis, [hook(1, size=5_000), hook(2)])

    assert receipts(read(redis, max_bytes=1_000)) == ["r1"]


def test_the_pending_entries_of_an_earlier_reader_come_first(redis):
    stream.add_all(redis, hooks(40))
    read(redis, count=30)
    stream.add_all(redis, hooks(10, first=41))

    assert receipts(read(redis)) == [f"r{number}" for number in range(1, 51)]


def test_hooks_beyond_the_size_come_with_the_next_read(redis):
    stream.add_all(redis, [hook(number, size=1_000) for number in range(10)])
    first = read(redis, max_bytes=3_500)
    stream.remove(redis, [entry.entry_id for entry in first])

    assert receipts(read(redis)) == [f"r{number}" for number in range(3, 10)]


def test_a_removed_hook_is_gone(redis):
    stream.add_all(redis, hooks(3))
    stream.remove(redis, [entry.entry_id for entry in read(redis)][:2])

    assert receipts(read(redis)) == ["r3"]
    assert stream.depth(redis) == 1


def test_removing_nothing_sends_no_command(redis):
    stream.remove(redis, [])

    assert stream.depth(redis) == 0


def test_an_entry_deleted_while_pending_is_acknowledged_away(redis):
    stream.add_all(redis, hooks(2))
    redis.xdel(redis_keys.INBOX, read(redis)[0].entry_id)

    assert receipts(read(redis)) == ["r2"]
    assert redis.xpending(redis_keys.INBOX, redis_keys.INBOX_GROUP)["pending"] == 1


def test_an_emptied_redis_gets_its_group_again(redis):
    stream.ensure_group(redis)
    redis.flushall()
    stream.add_all(redis, hooks(2))

    assert receipts(read(redis)) == ["r1", "r2"]


def test_a_group_may_be_ensured_twice(redis):
    stream.ensure_group(redis)
    stream.ensure_group(redis)

    assert redis.xlen(redis_keys.INBOX) == 0


def test_another_error_than_a_missing_group_is_raised(redis_client):
    redis_client.set(redis_keys.INBOX, "not a stream")

    with pytest.raises(ResponseError):
        read(redis_client)
    with pytest.raises(ResponseError):
        stream.ensure_group(redis_client)


def test_raw_bodies_are_found_by_id_and_deleted_entries_left_out(redis):
    stream.add_all(redis, [hook(1, raw=b"one"), hook(2, raw=b"", query="a=1"), hook(3)])
    ids = [entry.entry_id for entry in read(redis)]
    stream.remove(redis, ids[2:])

    assert stream.get_raw_bodies(redis, ids) == {ids[0]: (b"one", None), ids[1]: (b"", "a=1")}


def test_the_oldest_hook_says_since_when_it_waits(redis):
    stream.add_all(redis, hooks(3))

    assert stream.get_oldest_received_at(redis) == hook(1).received_at


def test_an_empty_inbox_has_no_oldest_hook(redis):
    assert stream.get_oldest_received_at(redis) is None


def test_only_the_first_hooks_ask_for_a_wake_up(redis):
    assert [stream.add_all(redis, hooks(2)) for _ in range(3)] == [[0], [], []]


def test_a_wake_up_is_asked_for_again_once_the_flag_is_cleared(redis):
    stream.add_all(redis, hooks(1))
    redis.delete(redis_keys.WAKEUP)

    assert stream.add_all(redis, hooks(1))


def test_no_wake_up_is_asked_for_while_a_chain_holds_the_lease(redis):
    token = acquire_chain_lease(redis)
    asked = stream.add_all(redis, hooks(1))
    release_chain_lease(redis, token)

    assert [asked, stream.add_all(redis, hooks(1))] == [[], [0]]


def test_the_flag_expires_if_a_wake_up_was_lost(redis):
    stream.add_all(redis, hooks(1))

    assert 0 < redis.ttl(redis_keys.WAKEUP) <= stream.WAKEUP_TTL_S


def test_an_entry_with_fields_missing_does_not_stop_the_inbox(redis):
    redis.xadd(redis_keys.INBOX, {"x": "1"})
    stream.add(redis, hook(2))

    strange, ours = read(redis)

    assert (strange.store, strange.raw, strange.receipt) == ("", b"", strange.entry_id)
    assert ours.receipt == "r2"


class ReportingRedis:
    def __init__(self, used: int, limit: int) -> None:
        self.memory = {"used_memory": used, "maxmemory": limit}

    def info(self, section: str) -> dict[str, int]:
        assert section == "memory"
        return self.memory


@pytest.mark.parametrize(
    ("used", "limit", "room"), [(0, 100, True), (79, 100, True), (80, 100, False), (120, 100, False), (10**12, 0, True)]
)
def test_room_is_left_for_what_empties_the_inbox(used, limit, room):
    assert stream.has_room(ReportingRedis(used, limit)) is room


def test_a_redis_that_does_not_report_its_memory_counts_as_having_room():
    assert stream.has_room(FakeRedis())  # it knows no INFO


def test_a_redis_that_is_away_is_an_error():
    server = FakeServer()
    server.connected = False

    with pytest.raises(RedisConnectionError):
        stream.has_room(FakeRedis(server=server))

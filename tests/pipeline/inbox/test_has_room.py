from __future__ import annotations

import pytest
from fakeredis import FakeRedis, FakeServer
from redis.exceptions import ConnectionError as RedisConnectionError

from pipeline.inbox.stream import has_room


class Reporting:
    def __init__(self, used: int, limit: int) -> None:
        self.memory = {"used_memory": used, "maxmemory": limit}

    def info(self, section: str) -> dict[str, int]:
        assert section == "memory"
        return self.memory


@pytest.mark.parametrize(
    ("used", "limit", "room"), [(0, 100, True), (79, 100, True), (80, 100, False), (120, 100, False), (10**12, 0, True)]
)
def test_room_is_left_for_what_empties_the_inbox(used, limit, room):
    assert has_room(Reporting(used, limit)) is room


def test_a_redis_that_keeps_its_memory_secret_counts_as_roomy():
    assert has_room(FakeRedis())  # it knows no INFO


def test_a_redis_that_is_away_is_an_error():
    server = FakeServer()
    server.connected = False

    with pytest.raises(RedisConnectionError):
        has_room(FakeRedis(server=server))

from __future__ import annotations

from itertools import count

import fakeredis
import pytest
import redis

from pipeline.infra.redis_keys import warehouse_value
from pipeline.warehouses.shared_values import RedisValues

NONCES = count()


@pytest.fixture
def server() -> redis.Redis:
    return fakeredis.FakeRedis()


def values(server: redis.Redis, *secret_keys: str) -> RedisValues:
    return RedisValues(server, secret_keys or ("key-1",), lambda: f"nonce-{next(NONCES)}")


def test_a_value_is_shared_until_its_time_is_over(server):
    values(server).put("account", {"token": "opaque"}, 3600)

    assert values(server).get("account") == {"token": "opaque"}
    assert 3_590_000 < server.pttl(warehouse_value("account")) <= 3_600_000
    assert values(server).get("other") is None


def test_a_value_is_encrypted(server):
    values(server).put("account", {"token": "opaque"}, 3600)

    assert b"opaque" not in server.get(warehouse_value("account"))


def test_a_value_of_a_retired_secret_key_counts_as_none(server):
    values(server, "key-1").put("account", {"token": "opaque"}, 3600)

    assert values(server, "key-2", "key-1").get("account") == {"token": "opaque"}
    assert values(server, "key-2").get("account") is None


def test_one_process_changes_a_value_at_a_time(server):
    with values(server).lock("account") as first, values(server).lock("account") as second:
        assert (first, second) == (True, False)
    with values(server).lock("account") as later:
        assert later

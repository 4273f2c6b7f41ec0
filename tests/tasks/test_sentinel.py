"""Celery and redbeat through real Sentinels, before and after the primary dies."""

from __future__ import annotations

import pytest
from celery import Celery
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redbeat.schedulers import get_redis
from redis.exceptions import RedisError

from pipeline.infra.redis_client import open_redis
from pipeline.settings import Settings
from tasks.config import celery_config
from tests.servers.sentinel import replicated_valkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def build_app(url, tmp_path):
    app = Celery("sentinel-test", set_as_current=False)
    app.conf.update(celery_config(Settings.from_environment({"REDIS_URL": url}, data_dir=tmp_path)))
    return app


def put_and_get(app) -> str | None:
    """Send a message and take it; None while the broker is away."""
    with app.connection() as connection:
        try:
            connection.ensure_connection(max_retries=1)
            with connection.SimpleQueue("deliveries") as queue:
                queue.put("a message")
                return queue.get(timeout=5).payload
        except (*connection.connection_errors, *connection.channel_errors):
            return None


def write(client) -> bool:
    try:
        return bool(client.set("a key", "a value"))
    except RedisError:
        return False


def test_messages_the_schedule_and_the_limits_follow_the_primary(tmp_path):
    with replicated_valkey(3) as servers:
        app = build_app(servers.url, tmp_path)
        schedule = get_redis(app)
        client = open_redis(servers.url, socket_timeout=2)
        limiter = MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=client.connection_pool))
        limit = RateLimitItemPerMinute(1_000)
        assert (put_and_get(app), write(schedule), limiter.hit(limit, "one")) == ("a message", True, True)
        servers.kill(servers.primary_port())

        wait_until(lambda: write(schedule) and write(client))
        assert wait_until(lambda: put_and_get(app)) == "a message"
        assert limiter.hit(limit, "one")
        client.close()

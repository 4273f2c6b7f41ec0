"""Keeps messages whose task this version does not know, and sends them again when a version comes that does.

Celery would discard them, and log their content. During an upgrade old and new workers hear the same queues, so each
may get what only the other understands. They lie in our Redis, whatever the broker is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import Any

import structlog
from celery import Celery
from redis import Redis, RedisError

from pipeline.infra import redis_keys

log = structlog.get_logger(__name__)

MAX_HELD_MESSAGES = 10_000  # messages; the oldest leave first


def hold(redis: Redis, message: Any) -> bool:
    """Keep a message. False: it could not be kept."""
    task, queue = _get_task_name(message), message.delivery_info.get("routing_key", "")
    kept = {
        "task": task,
        "queue": queue,
        "headers": message.headers,
        "body": base64.b64encode(_get_body_bytes(message.body)).decode("ascii"),
        "content_type": message.content_type,
        "content_encoding": message.content_encoding,
        "correlation_id": message.properties.get("correlation_id"),
    }
    try:
        with redis.pipeline(transaction=True) as pipe:
            pipe.rpush(redis_keys.HELD_MESSAGES, json.dumps(kept))
            pipe.ltrim(redis_keys.HELD_MESSAGES, -MAX_HELD_MESSAGES, -1)
            pipe.execute()
    except RedisError:
        return False
    log.warning("a task of another version is parked", task=task, queue=queue)
    return True


def resend(redis: Redis, app: Celery, known: Collection[str]) -> int:
    """Send again what is known now. Returns how many messages that were."""
    length: Any = redis.llen(redis_keys.HELD_MESSAGES)
    sent = 0
    for _ in range(length):
        raw: Any = redis.lpop(redis_keys.HELD_MESSAGES)
        if raw is None:
            break
        kept = json.loads(raw)
        if kept["task"] in known:
            _send(app, kept)
            sent += 1
        else:
            redis.rpush(redis_keys.HELD_MESSAGES, raw)
    return sent


def _send(app: Celery, kept: dict[str, Any]) -> None:
    with app.producer_or_acquire() as producer:
        producer.publish(
            base64.b64decode(kept["body"]),
            exchange=kept["queue"],
            routing_key=kept["queue"],
            headers=kept["headers"],
            content_type=kept["content_type"],
            content_encoding=kept["content_encoding"],
            correlation_id=kept["correlation_id"],
            retry=True,
        )


def _get_task_name(message: Any) -> str:
    return str((message.headers or {}).get("task", ""))


def _get_body_bytes(body: Any) -> bytes:
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else str(body).encode()

"""Celery's settings, with reasons where they differ from the defaults."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from redis.connection import parse_url

from pipeline.infra.redis_client import is_sentinel_url
from pipeline.settings import Settings
from tasks.sentinel import build_broker_settings, build_redbeat_settings

HOOKS, DELIVERIES, BACKFILL, FULFILMENT = "hooks", "deliveries", "backfill", "fulfilment"

PERIODIC_TASKS = {  # that beat sends: task -> (queue, interval in seconds)
    "sweeps.tick": (DELIVERIES, 1.0),
    "backfills.daily": (DELIVERIES, 600.0),
    "clock.sweep": (DELIVERIES, 10.0),
    "counts.sweep": (DELIVERIES, 10.0),
    "dead.sweep": (DELIVERIES, 10.0),
    "silence.sweep": (DELIVERIES, 60.0),
    "attention.sweep": (DELIVERIES, 30.0),
    "reconciliation.tidy": (DELIVERIES, 60.0),
    "retention.sweep": (DELIVERIES, 5.0),
    "rehearsals.tidy": (DELIVERIES, 3600.0),
    "replays.tidy": (DELIVERIES, 3600.0),
    "fulfilment.tidy": (DELIVERIES, 3600.0),
    "statements.close": (DELIVERIES, 3600.0),
    "mails.tidy": (DELIVERIES, 3600.0),
}

# That the tick sends while they have something to do: task -> (queue, shortest interval in seconds).
WOKEN_SWEEPS = {
    "backfills.sweep": (DELIVERIES, 1.0),
    "deliveries.sweep": (DELIVERIES, 1.0),
    "fulfilment.sweep": (DELIVERIES, 2.0),
    "hooks.sweep": (HOOKS, 2.0),
    "lookups.sweep": (DELIVERIES, 2.0),
    "mails.sweep": (DELIVERIES, 3.0),
    "people.sweep": (BACKFILL, 1.0),
    "reconciliation.sweep": (DELIVERIES, 2.0),
    "registration.sweep": (DELIVERIES, 2.0),
    "rehearsals.sweep": (DELIVERIES, 2.0),
    "replays.sweep": (DELIVERIES, 1.0),
    "search.fill": (DELIVERIES, 5.0),
    "stores.sweep": (DELIVERIES, 5.0),
}

# task -> queue, for messages sent without a queue: by us, by `celery call`, by flower. The first match counts.
ROUTES = {
    "hooks.*": HOOKS,
    "backfills.step": BACKFILL,
    "reconciliation.run": BACKFILL,
    "lookups.run": BACKFILL,
    "lookups.ask": BACKFILL,
    "registration.tend": BACKFILL,
    "stores.remove": BACKFILL,
    "rehearsals.run": BACKFILL,
    "replays.run": BACKFILL,
    "people.sweep": BACKFILL,
    "fulfilment.sweep": DELIVERIES,
    "fulfilment.tidy": DELIVERIES,
    "fulfilment.*": FULFILMENT,
    "*": DELIVERIES,
}


def celery_config(settings: Settings) -> dict[str, Any]:
    """Return Celery's configuration for these settings."""
    return {
        **_build_broker_settings(settings.broker_url),
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # a worker waits for its broker without limit
        "broker_heartbeat": 10,
        "task_ignore_result": True,  # results are in the ledger
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_default_queue": DELIVERIES,
        "task_routes": {name: {"queue": queue} for name, queue in ROUTES.items()},
        "task_queues": {name: _queue(name, settings.broker_url) for name in (HOOKS, DELIVERIES, BACKFILL, FULFILMENT)},
        "task_create_missing_queues": False,
        "task_acks_late": False,  # a lost message costs a sweep, restoring one would delay worker exits
        "task_track_started": True,  # so that flower shows running tasks
        "task_soft_time_limit": 90,
        "task_time_limit": 120,
        "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 1},
        "worker_proc_alive_timeout": 60.0,  # 4 s by default: too few on a busy machine
        "worker_consumer": "tasks.worker.consumer:WorkerConsumer",
        "worker_prefetch_multiplier": 1,
        # No other worker could take a message prefetched by a worker whose processes all run slow lanes. (RabbitMQ has
        # no such setting.)
        "worker_disable_prefetch": not is_rabbitmq(settings.broker_url),
        "worker_send_task_events": True,
        "worker_autoscaler": "tasks.worker.idle_pool:IdlePoolScaler",  # for workers with a lowest number of processes
        "worker_disable_rate_limits": True,  # tasks.worker.controls refuses `control rate_limit`
        "worker_hijack_root_logger": False,
        "worker_max_tasks_per_child": 20_000,
        "worker_max_memory_per_child": 400_000,  # kB
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # they may run twice, and are nearly done
        "worker_soft_shutdown_timeout": 10.0,
        "beat_scheduler": "tasks.beat:PatientScheduler",
        "beat_max_loop_interval": 1,
        **_build_redbeat_settings(settings.redis_url),
        "redbeat_key_prefix": "cratewire:redbeat:",
        "redbeat_lock_timeout": 6,  # seconds after which another beat takes over from a killed one
        "beat_schedule": {name: _beat_entry(name, queue, every) for name, (queue, every) in PERIODIC_TASKS.items()},
        "timezone": "UTC",
    }


_REDBEAT_OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 3, "health_check_interval": 10}
_REDIS_OPTIONS = {
    "visibility_timeout": 3600,
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 10,
    "global_keyprefix": "cratewire:celery:",
}
# Without timeouts a publisher would wait for ever for a RabbitMQ that does not respond.
_AMQP_OPTIONS = {"confirm_publish": True, "read_timeout": 10, "write_timeout": 10}
_MESSAGE_TTL_MS = 3_600_000  # by then every message has been sent again
_QUORUM_OPTIONS = {"queue_arguments": {"x-queue-type": "quorum", "x-message-ttl": _MESSAGE_TTL_MS}}


def _build_broker_settings(url: str) -> dict[str, Any]:
    if is_sentinel_url(url):
        return build_broker_settings(url, _REDIS_OPTIONS)
    options = _AMQP_OPTIONS if is_rabbitmq(url) else _REDIS_OPTIONS
    return {"broker_url": kombu_url(url), "broker_transport_options": options}


def _build_redbeat_settings(url: str) -> dict[str, Any]:
    if is_sentinel_url(url):
        return build_redbeat_settings(url, _REDBEAT_OPTIONS)
    # Celery does not hide a password in this address, so flower would show it.
    options = {**_REDBEAT_OPTIONS, "password": _get_password(url)}
    return {"redbeat_redis_url": strip_password(url), "redbeat_redis_options": options}


def is_rabbitmq(url: str) -> bool:
    """Return whether this broker is RabbitMQ."""
    return urlsplit(url).scheme in ("amqp", "amqps")


def kombu_url(url: str) -> str:
    """Return the broker URL as kombu spells it: a Unix socket is `redis+socket://` there."""
    return url.replace("unix://", "redis+socket://", 1) if url.startswith("unix://") else url


def strip_password(url: str) -> str:
    """Return the URL without its password, which a client must get separately."""
    user, at, host = urlsplit(url).netloc.rpartition("@")
    return urlsplit(url)._replace(netloc=f"{user.partition(':')[0]}{at}{host}").geturl()


def _get_password(url: str) -> Any:
    return parse_url(url).get("password")  # type: ignore[no-untyped-call]


def _queue(name: str, broker_url: str) -> dict[str, Any]:
    """Return the queue's options. A worker detects quorum queues by itself and then sets its prefetch per consumer."""
    return {"exchange": name, "routing_key": name, **(_QUORUM_OPTIONS if is_rabbitmq(broker_url) else {})}


def _beat_entry(name: str, queue: str, every: float) -> dict[str, Any]:
    return {"task": name, "schedule": every, "options": {"queue": queue, "expires": sweep_expiry_s(every)}}


def sweep_expiry_s(every: float) -> float:
    """Return after how many seconds a sweep that was not taken is superseded by the next one."""
    return max(5.0, every * 3)

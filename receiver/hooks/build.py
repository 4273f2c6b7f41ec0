"""Builds the components of the web process. Opens no connection: the writer does so when it starts."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pipeline.context import Context, now_us
from pipeline.inbox.batch_writer import BatchWriter
from pipeline.inbox.circuit_breaker import CircuitBreaker
from pipeline.inbox.client import connect
from pipeline.inbox.ingest import IngestRouter, WakeupThread
from pipeline.inbox.replicas import ReplicaWait
from pipeline.inbox.spool.directory import SpoolDirectory
from pipeline.inbox.stream import has_room
from pipeline.infra.crypto import hook_tokens
from pipeline.ledger.engine import make_engine
from pipeline.ledger.revocations import RevocationCache
from pipeline.settings import Settings
from receiver.hooks.revoked_tokens import RevokedTokens
from receiver.hooks.rules import HookRules
from receiver.hooks.store_rate import StoreRate
from receiver.metrics.build import Monitoring, build_monitoring
from receiver.pages.context import open_pages_context


@dataclass(frozen=True, slots=True)
class WebComponents:
    """The components of the web application."""

    rules: HookRules
    writer: BatchWriter
    monitoring: Monitoring | None = None
    pages_context: Context | None = None
    revoked: RevokedTokens | None = None


def build_components(settings: Settings, wake_up: Callable[[int], None] | None = None) -> WebComponents:
    """Build the components. `wake_up` wakes a partition's chain; by default it starts a Celery task."""
    writer = BatchWriter(partial(build_ingest_router, settings, wake_up or request_chain_wakeup))
    revoked = RevokedTokens(RevocationCache(make_engine(settings.database_url), time.monotonic), now_us, time.monotonic)
    rules = HookRules(
        verify_token=partial(hook_tokens.verify, settings.secret_keys),
        max_bytes=settings.max_hook_bytes,
        now=now_us,
        new_receipt=generate_receipt,
        is_revoked=revoked,
        count_hook=StoreRate(settings.store_hooks_per_minute).count,
    )
    return WebComponents(
        rules, writer, build_monitoring(settings, writer, rules.tally), open_pages_context(settings), revoked
    )


def build_ingest_router(settings: Settings, wake_up: Callable[[int], None]) -> IngestRouter:
    """Build the router to Redis or the spool, for the writer thread of this process."""
    redis = connect(settings.redis_url, settings.redis_timeout)
    replicas = ReplicaWait(settings.replicas, settings.redis_timeout, time.monotonic)

    def is_ready() -> bool:
        replicas.check(redis)
        return has_room(redis)

    spools = SpoolDirectory(settings.data_dir / "spool")
    breaker, wakeups = CircuitBreaker(is_ready, time.monotonic), WakeupThread(wake_up)
    return IngestRouter(redis, spools, breaker, wakeups.request, settings.partitions, replicas)


def request_chain_wakeup(partition: int) -> None:
    """Start the Celery task that reads this partition of the inbox."""
    from tasks.chain import start_chain  # noqa: PLC0415 Celery is slow to import, and the first hook need not wait

    start_chain(partition)


def generate_receipt(at: int) -> str:
    """Return 32 hexadecimal digits that sort by time and cannot be guessed."""
    return f"{at:014x}{secrets.token_hex(9)}"

"""Health endpoints: whether this web process runs, can store hooks, and whether hooks become events.

`/readyz` fails if either part does: operators watch it. `/readyz/hooks` is about storing hooks only, and is what
a load balancer must ask: a rejected hook is lost, since Cratejoy promises no retry, while a stored hook is only
late. The answers name no host, no path and no version.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from pipeline.inbox.ingest import IngestStatus
from pipeline.ledger.queries import ChainStatus
from receiver.metrics.collect import can_store_hooks


def blueprint(get_status: Callable[[], IngestStatus | None], chain: Callable[[], ChainStatus]) -> Blueprint:
    """Build the views. `get_status` returns None if the writer is not running."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        status, chain_status = get_status(), chain()
        hooks = can_store_hooks(status)
        ready = hooks and chain_status.alive is not False
        body = jsonify(
            ready=ready,
            hooks=hooks,
            chain=chain_status.alive,
            last_heartbeat_seconds=chain_status.last_heartbeat_seconds,
            **_describe_parts(status),
        )
        return body, _get_status(ready)

    @health.get("/readyz/hooks")
    def hooks() -> tuple[Response, int]:
        status = get_status()
        return jsonify(ready=can_store_hooks(status), **_describe_parts(status)), _get_status(can_store_hooks(status))

    return health


def get_unwatched_chain() -> ChainStatus:
    """Return the chain's status when no heartbeats are sent."""
    return ChainStatus(None, None, None)


def _describe_parts(status: IngestStatus | None) -> dict[str, bool | int | None]:
    return {
        "writer": status is not None,
        "redis": status is not None and status.redis,
        "spool": status is not None and status.spool,
        "spooled": status.spooled_hooks if status else None,
    }


def _get_status(ready: bool) -> int:  # noqa: FBT001 it is the question
    return 200 if ready else 503

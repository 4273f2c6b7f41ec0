"""Whether this web process lives, can keep hooks, and whether they become events; names no host, no path, no version.

`/readyz` is red if either part is: it is what an operator watches. `/readyz/hooks` speaks of keeping alone and is what
a load balancer must ask: a hook turned away is lost, since Cratejoy promises no second try, while one that is kept only
comes late.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from pipeline.inbox.ingest import IngestStatus
from pipeline.ledger.queries import ChainStatus
from receiver.metrics.collect import can_store_hooks


def blueprint(condition: Callable[[], IngestStatus | None], chain: Callable[[], ChainStatus]) -> Blueprint:
    """The views; `condition` is None when the writer does not live."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        now, chained = condition(), chain()
        hooks = can_store_hooks(now)
        ready = hooks and chained.alive is not False
        body = jsonify(
            ready=ready,
            hooks=hooks,
            chain=chained.alive,
            last_heartbeat_seconds=chained.last_heartbeat_seconds,
            **_describe_parts(now),
        )
        return body, _get_status(ready)

    @health.get("/readyz/hooks")
    def hooks() -> tuple[Response, int]:
        now = condition()
        return jsonify(ready=can_store_hooks(now), **_describe_parts(now)), _get_status(can_store_hooks(now))

    return health


def get_unwatched_chain() -> ChainStatus:
    """What is known of the chain when nobody sends heartbeats."""
    return ChainStatus(None, None, None)


def _describe_parts(now: IngestStatus | None) -> dict[str, bool | int | None]:
    return {
        "writer": now is not None,
        "redis": now is not None and now.redis,
        "spool": now is not None and now.spool,
        "spooled": now.spooled_hooks if now else None,
    }


def _get_status(ready: bool) -> int:  # noqa: FBT001 it is the question
    return 200 if ready else 503

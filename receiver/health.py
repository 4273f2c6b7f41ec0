"""Whether this web process lives, can keep hooks, and whether they become events; names no host, no path, no version.

`/readyz` is red if either part is: it is what an operator watches. `/readyz/hooks` speaks of keeping alone and is what
a load balancer must ask: a hook turned away is lost, since Cratejoy promises no second try, while one that is kept only
comes late.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from pipeline.inbox.way_in import Condition
from pipeline.ledger.reading import Chain
from receiver.watch.looks import can_keep


def blueprint(condition: Callable[[], Condition | None], chain: Callable[[], Chain]) -> Blueprint:
    """The views; `condition` is None when the writer does not live."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        now, chained = condition(), chain()
        hooks = can_keep(now)
        ready = hooks and chained.alive is not False
        body = jsonify(
            ready=ready,
            hooks=hooks,
            chain=chained.alive,
            last_heartbeat_seconds=chained.last_heartbeat_seconds,
            **_parts(now),
        )
        return body, _status(ready)

    @health.get("/readyz/hooks")
    def hooks() -> tuple[Response, int]:
        now = condition()
        return jsonify(ready=can_keep(now), **_parts(now)), _status(can_keep(now))

    return health


def unwatched() -> Chain:
    """What is known of the chain when nobody sends heartbeats."""
    return Chain(None, None, None)


def _parts(now: Condition | None) -> dict[str, bool | int | None]:
    return {
        "writer": now is not None,
        "redis": now is not None and now.redis,
        "spool": now is not None and now.spool,
        "spooled": now.spooled if now else None,
    }


def _status(ready: bool) -> int:  # noqa: FBT001 it is the question
    return 200 if ready else 503

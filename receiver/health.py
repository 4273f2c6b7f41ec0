"""Whether this web process lives, and whether it can accept hooks; names no host, no path and no version."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, jsonify

from pipeline.inbox.way_in import Condition


def blueprint(condition: Callable[[], Condition | None]) -> Blueprint:
    """The two views; `condition` is None when the writer does not live."""
    health = Blueprint("health", __name__)

    @health.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @health.get("/readyz")
    def readyz() -> tuple[Response, int]:
        now = condition()
        ready = now is not None and (now.redis or now.spool)
        body = jsonify(
            ready=ready,
            writer=now is not None,
            redis=now is not None and now.redis,
            spool=now is not None and now.spool,
            spooled=now.spooled if now else None,
        )
        return body, 200 if ready else 503

    return health

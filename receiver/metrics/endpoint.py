"""`/metrics`: behind a token, since behind a reverse proxy everybody looks local, and figures are business."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST


def blueprint(page: Callable[[], bytes], token: str) -> Blueprint:
    """The view. Prometheus shows the token as `Authorization: Bearer …`."""
    watch = Blueprint("watch", __name__)
    wanted = f"Bearer {token}".encode()

    @watch.get("/metrics")
    def metrics() -> Response:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted):
            return Response("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        return Response(page(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    return watch

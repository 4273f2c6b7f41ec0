"""Opens the context of the pages: settings, database and Redis."""

from __future__ import annotations

from pipeline.context import Context, build_context
from pipeline.infra.redis_client import open_redis
from pipeline.ledger.engine import make_engine
from pipeline.settings import Settings


def open_pages_context(settings: Settings) -> Context:
    """Open the context; call it in the worker process. No connection is made before it is used."""
    redis = open_redis(settings.redis_url, socket_timeout=5, socket_connect_timeout=2)
    return build_context(settings, make_engine(settings.database_url), redis)

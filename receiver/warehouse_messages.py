"""The address to which a store's warehouse sends its signed messages.

It is no page: it knows no session and no form, so it stands beside the health checks. Few messages at a time are taken
in, so that page requests and the checks always have threads; a warehouse repeats what is answered with 503.
"""

from __future__ import annotations

from threading import BoundedSemaphore

import structlog
from flask import Blueprint, Response, jsonify, request
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.context import Context
from pipeline.core.errors import CratewireError
from pipeline.ledger.engine import reading
from pipeline.ledger.stores import find_store

log = structlog.get_logger(__name__)

MAX_AT_ONCE = 3  # of one web process
RETRY_AFTER_S = 5
# 202: taken in; 200: it was, before; 404: the store has no warehouse that sends messages.
STATUSES = {"taken": 202, "known": 200, "unsigned": 401, "malformed": 400, "not_here": 404}


def blueprint(context: Context) -> Blueprint:
    """Build the view."""
    messages = Blueprint("warehouse_messages", __name__)
    slots = BoundedSemaphore(MAX_AT_ONCE)

    @messages.post("/fulfilment/<name>/events")
    def take(name: str) -> tuple[Response, int]:
        if not slots.acquire(blocking=False):
            return _answer_busy()
        try:
            status = _take(context, name)
        except (RedisError, SQLAlchemyError, CratewireError) as error:  # the warehouse repeats it
            log.warning("a message of a warehouse is put off", store=name, error=type(error).__name__)
            return _answer_busy()
        finally:
            slots.release()
        return jsonify(status=status), STATUSES[status]

    return messages


def _take(context: Context, name: str) -> str:
    from pipeline.fulfilment.pushes import take_push  # noqa: PLC0415 - no hook waits for its imports

    with reading(context.engine) as conn:
        store = find_store(conn, name)
    if store is None:
        return "not_here"
    headers = {header.lower(): value for header, value in request.headers.items()}
    return take_push(context, store.id, headers, request.get_data())


def _answer_busy() -> tuple[Response, int]:
    response = jsonify(status="busy")
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response, 503

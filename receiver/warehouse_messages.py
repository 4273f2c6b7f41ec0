"""The address to which a store's warehouse sends its signed messages.

It is no page: it knows no session and no form, so it stands beside the health checks. Few messages at a time are taken
in, so that page requests and the checks always have threads; a warehouse repeats what is answered with 503. A message
takes such a place only once its signature is verified, with keys that were read a moment ago: who sends without a key
keeps no warehouse out.
"""

from __future__ import annotations

from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING

import structlog
from flask import Blueprint, Response, jsonify, request
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from pipeline.context import Context
from pipeline.core.errors import CratewireError
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import list_warehouse_names

if TYPE_CHECKING:
    from pipeline.fulfilment.site import Site

log = structlog.get_logger(__name__)

MAX_AT_ONCE = 3  # of one web process
MAX_CHECKS_AT_ONCE = 3  # of messages whose signature is not known yet; each takes less than a ms
RETRY_AFTER_S = 5
KEYS_KEPT_US = 5_000_000  # then keys are read again: so long a replaced one is still taken
# 202: taken in; 200: it was, before; 404: the store has no warehouse that sends messages.
STATUSES = {"taken": 202, "known": 200, "unsigned": 401, "malformed": 400, "not_here": 404}


class Sites:
    """The stores with a warehouse, by name, opened a moment ago: a message without a key costs no query."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = Lock()
        self._names: dict[str, int] = {}
        self._opened: dict[str, Site | None] = {}
        self._read_at: int | None = None

    def find(self, name: str) -> Site | None:
        """The store's fulfilment; None if it has none. Raises as `open_site` does."""
        with self._lock:
            now = self._context.now()
            if self._read_at is None or abs(now - self._read_at) >= KEYS_KEPT_US:
                with reading(self._context.engine) as conn:
                    self._names = list_warehouse_names(conn)
                self._opened, self._read_at = {}, now
            if name not in self._names:
                return None
            if name not in self._opened:
                self._opened[name] = _open(self._context, self._names[name])
            return self._opened[name]


def blueprint(context: Context) -> Blueprint:
    """Build the view."""
    messages = Blueprint("warehouse_messages", __name__)
    checks, slots = BoundedSemaphore(MAX_CHECKS_AT_ONCE), BoundedSemaphore(MAX_AT_ONCE)
    sites = Sites(context)

    @messages.post("/fulfilment/<name>/events")
    def take(name: str) -> tuple[Response, int]:
        from pipeline.fulfilment import pushes  # noqa: PLC0415 - no hook waits for its imports

        headers, body = {header.lower(): value for header, value in request.headers.items()}, request.get_data()
        try:
            with _Place(checks):
                site = sites.find(name)
                found = "not_here" if site is None else pushes.verify_push(site, headers, body)
            if site is not None and not isinstance(found, str):
                with _Place(slots):
                    found = pushes.take_verified(site, found)
        except _Busy:
            return _answer_busy()
        except (RedisError, SQLAlchemyError, CratewireError) as error:  # the warehouse repeats it
            log.warning("a message of a warehouse is put off", store=name, error=type(error).__name__)
            return _answer_busy()
        return jsonify(status=found), STATUSES[str(found)]

    return messages


class _Busy(Exception):
    """All places are taken."""


class _Place:
    """One of few places. Raises _Busy if none is free: no request waits for one."""

    def __init__(self, places: BoundedSemaphore) -> None:
        self._places = places

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise _Busy

    def __exit__(self, *_: object) -> None:
        self._places.release()


def _open(context: Context, store_id: int) -> Site | None:
    from pipeline.fulfilment.site import open_site  # noqa: PLC0415 - as above

    return open_site(context, store_id)


def _answer_busy() -> tuple[Response, int]:
    response = jsonify(status="busy")
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response, 503

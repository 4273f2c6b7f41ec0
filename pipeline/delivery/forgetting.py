"""Asks every platform of a store to forget a person. The requests leave through the lanes, like any message."""

from __future__ import annotations

from sqlalchemy import Connection

from pipeline.destinations import DESTINATIONS
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.deliveries.forgetting import ForgetRequest, add_forget_request, add_unsupported

CANNOT_FORGET = "cannot_forget"


def enqueue_forget(conn: Connection, store_id: int, request: ForgetRequest, now: int) -> None:
    """Write one message for each connection of the store, in the caller's transaction; a second call adds nothing.

    Each leaves after everything that is open for the person, waits while its connection is paused, and is retried
    until the platform answers. `list_forget_progress` says where the regulation stands. A platform that has no such
    mode is recorded as unsupported at once. The identifiers are kept only until the message is settled.
    """
    for connection in list_store_connections(conn, store_id):
        if request.mode in DESTINATIONS[connection.platform].forget_modes:
            add_forget_request(conn, connection, request, now)
        else:
            add_unsupported(conn, connection, request, CANNOT_FORGET, now)

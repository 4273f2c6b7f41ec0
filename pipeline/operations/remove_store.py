"""Removes a store: its hooks at Cratejoy, then every row of it. Each call does a part; a killed one loses nothing.

Commands call `advance_removal` until it is done; a task does the same with a removal that a page has asked for, or that
a killed command has left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from pipeline.context import Context
from pipeline.core.errors import CratewireError, Misconfigured
from pipeline.core.plural import pluralize
from pipeline.events.catalogue import EVENTS
from pipeline.hook_registration.store_hooks import OpenAPI, open_urgent_client
from pipeline.hook_registration.sync import sync_hooks
from pipeline.infra import redis_keys
from pipeline.infra.redis_lease import Lease
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import FindingRow, list_findings
from pipeline.ledger.removals import (
    RemovalRow,
    begin_deletion,
    delete_store,
    find_removal,
    postpone_removal,
)
from pipeline.ledger.store_apis import find_store_api
from pipeline.ledger.store_rows import delete_rows, list_store_tables

SECOND_US = 1_000_000
RETRY_US = 60 * SECOND_US  # while Cratejoy cannot be reached
MAX_WAIT_S = 120.0  # for Cratejoy, before that counts as trouble
LEASE_MS = 30_000
SLICE_ROWS = 100  # deleted in one transaction, which takes about 10 ms
REST_S = 0.01  # between two slices, so that writers of hooks have their turn
IN_FLIGHT_WAIT_S = 0.5
NO_KEYS = "Cratejoy's Client ID and Secret are not saved"


@dataclass(frozen=True, slots=True)
class RemovalProgress:
    """How far a removal came. `wait`: in how many seconds to go on. `trouble`: why hooks of ours remain at Cratejoy, so
    that it does not go on by itself. `rows`: how many were deleted this time, without those that refer to them.
    """

    done: bool = False
    wait: float = 0.0
    trouble: str = ""
    rows: int = 0


def advance_removal(
    context: Context,
    store_id: int,
    until: int,
    *,
    open_api: OpenAPI = open_urgent_client,
    sleep: Callable[[float], None] = time.sleep,
) -> RemovalProgress:
    """Do the next part of a removal that was asked for, until `until` (µs) at the latest.

    Raise Misconfigured if no removal was asked for.
    """
    lease = Lease(context.redis, redis_keys.removal_lease(store_id), context.make_nonce(), LEASE_MS)
    with lease.hold() as is_held:
        return _advance(context, store_id, until, open_api, sleep) if is_held else RemovalProgress(wait=1.0)


def _advance(
    context: Context, store_id: int, until: int, open_api: OpenAPI, sleep: Callable[[float], None]
) -> RemovalProgress:
    with reading(context.engine) as conn:
        row = find_removal(conn, store_id)
    if row is None:
        raise Misconfigured(f"the removal of store {store_id} was not asked for, or called off")
    if row.ended_at is not None:
        return RemovalProgress(done=True)
    if not row.is_deleting:
        waiting = _remove_hooks(context, row, open_api)
        if waiting is not None:
            return waiting
        with writing(context.engine) as conn:
            begin_deletion(conn, store_id, context.now())
    return _delete_all(context, store_id, until, sleep)


def list_remaining_hooks(conn: Connection, store_id: int) -> Sequence[str]:
    """The events whose hooks are still at Cratejoy as far as is known: if they could not be listed, every event."""
    api = find_store_api(conn, store_id)
    if api is None or api.audited_at is None:
        return sorted(EVENTS)
    findings = list_findings(conn, store_id)
    return sorted({row.event or f"hook {row.hook_id}" for row in findings if _remains(row)})


def _remains(row: FindingRow) -> bool:
    """Whether it is a hook of ours that has not been deleted, whether or not that was refused."""
    return row.remedy is not None and row.mended_at is None


def _remove_hooks(context: Context, row: RemovalRow, open_api: OpenAPI) -> RemovalProgress | None:
    """Remove our hooks at Cratejoy. Return why the rows cannot be deleted yet; None if they can."""
    trouble, wait = _try_remove_hooks(context, row.store_id, open_api)
    if row.leaves_hooks and (trouble or wait > MAX_WAIT_S):
        return None
    if not trouble and wait <= MAX_WAIT_S:
        return RemovalProgress(wait=wait) if wait else None
    trouble = trouble or f"Cratejoy asks us to wait {ceil(wait)} s"
    with writing(context.engine) as conn:
        postpone_removal(conn, row.store_id, context.now() + RETRY_US, trouble)
    return RemovalProgress(wait=RETRY_US / SECOND_US, trouble=trouble)


def _try_remove_hooks(context: Context, store_id: int, open_api: OpenAPI) -> tuple[str, float]:
    """Return what prevents it, and how long to wait before the next request; "" and 0.0 if no hook of ours is left."""
    with reading(context.engine) as conn:
        if find_store_api(conn, store_id) is None:
            return NO_KEYS, 0.0
    try:
        result = sync_hooks(context, store_id, open_api=open_api)
    except CratewireError as error:
        return str(error), 0.0
    if not result.done:
        return "", max(result.wait, 0.01)
    with reading(context.engine) as conn:
        left = [finding for finding in list_findings(conn, store_id) if _remains(finding)]
    return (f"Cratejoy refused to delete {pluralize(len(left), 'hook')}" if left else ""), 0.0


def _delete_all(context: Context, store_id: int, until: int, sleep: Callable[[float], None]) -> RemovalProgress:
    """Delete the rows, those that refer to others first. What is being sent is waited for: its result is a row too."""
    if _is_sending(context, store_id):
        return RemovalProgress(wait=IN_FLIGHT_WAIT_S)
    rows = 0
    for part in list_store_tables():
        deleted = SLICE_ROWS
        while deleted == SLICE_ROWS:
            if context.now() >= until:
                return RemovalProgress(rows=rows)
            with writing(context.engine) as conn:
                deleted = delete_rows(conn, store_id, part, SLICE_ROWS)
            rows += deleted
            if deleted:
                sleep(REST_S)
    try:
        with writing(context.engine) as conn:
            delete_store(conn, store_id, context.now())
    except IntegrityError:  # a task that had begun before wrote a row meanwhile
        return RemovalProgress(wait=IN_FLIGHT_WAIT_S, rows=rows)
    return RemovalProgress(done=True, rows=rows)


def _is_sending(context: Context, store_id: int) -> bool:
    with reading(context.engine) as conn:
        connections = list_store_connections(conn, store_id)
    keys = [redis_keys.lane_lease(row.id, lane) for row in connections for lane in range(row.lanes)]
    return bool(keys) and bool(context.redis.exists(*keys))

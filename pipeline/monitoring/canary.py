"""Sends canaries (hooks of ours to our own public address), and opens an alarm if none arrives."""

from __future__ import annotations

import json

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.core.hooks import CANARY
from pipeline.core.plural import pluralize
from pipeline.infra.crypto import encryption, hook_tokens
from pipeline.infra.http.client import HTTPResponse
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import end_alarms, list_open_alarms, open_alarm
from pipeline.ledger.monitoring.canaries import (
    CanaryRow,
    claim_canary,
    find_next_canary_store,
    list_newest_canaries,
    record_canary_answer,
    request_canary,
)
from pipeline.ledger.monitoring.rows import ENDPOINT, OPERATOR, NewAlarm
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.monitoring.status import EndpointStatus, get_endpoint_status

SECOND_US = 1_000_000
RETRY_INTERVAL_US = 60 * SECOND_US  # after a canary that failed, whatever the settings say

NOT_CRATEWIRE = "answered 200, but not as Cratewire does"
OTHER_KEY_IN_USE = "CRATEWIRE_SECRET_KEY is not the one with which the store was connected"


def check_endpoint(conn: Connection, context: Context, now: int) -> None:
    """Request the next canary when it is due, and open or end the alarm."""
    interval_s = context.settings.canary_seconds
    status = get_endpoint_status(conn, now)
    alarms = list_open_alarms(conn, kind=ENDPOINT)
    if status.works is False and interval_s and not alarms:
        broken = NewAlarm(
            ENDPOINT, last_at=status.proven_at, reason=status.fault, tried=_describe_failures(status), audience=OPERATOR
        )
        open_alarm(conn, broken, now)
    elif alarms and (status.failures == 0 or not interval_s):
        end_alarms(conn, [alarm.id for alarm in alarms], status.proven_at or now)
    last = next(iter(list_newest_canaries(conn, 1)), None)
    delay_us = RETRY_INTERVAL_US if status.failures else round(interval_s * SECOND_US)
    if interval_s and (last is None or last.wanted_at <= now - min(delay_us, round(interval_s * SECOND_US))):
        store_id = find_next_canary_store(conn)
        if store_id is not None:
            request_canary(conn, store_id, context.make_nonce(), now)


def _describe_failures(status: EndpointStatus) -> tuple[str, ...]:
    failed = pluralize(status.failures, "hook")
    return (f"{failed} of our own sent to the public address did not come back. The last one: {status.fault}.",)


def send_canary(context: Context, canary_id: int) -> str | None:
    """Send a requested canary, as Cratejoy sends hooks, and write the answer. Return why it failed, or None."""
    with writing(context.engine) as conn:
        canary = claim_canary(conn, canary_id, context.now())
    if canary is None:
        return None
    with reading(context.engine) as conn:
        store = get_store(conn, canary.store_id)
        configs = [connection.config for connection in list_store_connections(conn, canary.store_id)]
    if store is None:
        return None
    is_same_key = all(encryption.can_decrypt(context.settings.secret_keys, config) for config in configs)
    # Signed with another key the canary would arrive, but Cratejoy's hooks do not.
    fault = _find_fault(_post_canary(context, store, canary)) if is_same_key else OTHER_KEY_IN_USE
    with writing(context.engine) as conn:
        record_canary_answer(conn, canary_id, fault, context.now())
    return fault


def _post_canary(context: Context, store: StoreRow, canary: CanaryRow) -> HTTPResponse:
    token = hook_tokens.sign(context.settings.secret_keys, store.name, store.token_version)
    url = f"{context.settings.public_url}/hooks/{store.name}/{token}/{CANARY}"
    body = json.dumps({CANARY: canary.nonce}).encode()
    return context.operator_http.call("POST", url, headers={"Content-Type": "application/json"}, body=body)


def _find_fault(response: HTTPResponse) -> str | None:
    """None if our receiver has answered. A 200 of anything else may be a parked domain or a proxy's page."""
    if response.status is None:
        return response.error
    if response.status != 200:  # noqa: PLR2004 the receiver's status
        return f"answered {response.status}"
    try:
        answer = json.loads(response.body)
    except ValueError:
        return NOT_CRATEWIRE
    return None if isinstance(answer, dict) and "receipt" in answer else NOT_CRATEWIRE

"""What the buttons of the attention list do. Each action answers with a sentence that says what it did.

An action that cannot be done raises CratewireError; the item stays open then, and its text is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, select, update

from pipeline.attention.alarm_sync import sync_alarms
from pipeline.attention.causes import CAUSES
from pipeline.attention.causes.data_changes import RATE
from pipeline.attention.connection_backlog import format_platform_title
from pipeline.attention.remedies import Action
from pipeline.attention.set_aside import record_alarm_action
from pipeline.backfill.schedule import create_backfill
from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.core.plural import pluralize
from pipeline.cratejoy.factory import open_store_client
from pipeline.ledger.audit import Actor
from pipeline.ledger.backfills import ALL
from pipeline.ledger.connections import ConnectionRow, find_connection, resume_connection
from pipeline.ledger.deliveries.status import OPEN
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.warehouses import resume_warehouse, update_warehouse
from pipeline.ledger.monitoring.alarms import find_alarm, save_alarm_texts
from pipeline.ledger.monitoring.canaries import find_next_canary_store, request_canary
from pipeline.ledger.monitoring.data_changes import RATE_KINDS, end_changes, take_as_usual
from pipeline.ledger.monitoring.rows import AlarmRow
from pipeline.ledger.reconciliations import load_reconciliations, request_pass
from pipeline.ledger.removals import find_removal, request_removal
from pipeline.ledger.schema.core import Delivery, Lane
from pipeline.ledger.store_apis import find_store_api, record_key_check, request_hook_audit
from pipeline.monitoring.data_watch import KEY_KINDS
from pipeline.operations.pause import check_saved_keys
from pipeline.processing.failure_limit import resume_chain

NO_KEYS = "Cratejoy's Client ID and Secret are not saved for this store"


def perform(context: Context, action: Action, alarm: AlarmRow, actor: Actor) -> str:
    """Do it, check the cause again, and return what was done. Raises CratewireError if it cannot be done.

    It is done in the transaction that writes it into the audit log. What must be asked elsewhere is asked before.
    """
    if (check := CHECKS.get(action)) is not None:
        check(context, alarm)
    with writing(context.engine) as conn:
        record_alarm_action(conn, alarm, "attention.acted", actor, context.now(), button=action)
        row = find_alarm(conn, alarm.id)
        if row is not None and row.said:
            save_alarm_texts(conn, row.id, {**row.said, "pressed": action})
        answer = ACTIONS[action](context, conn, alarm)
    sync_alarms(context, [cause for cause in CAUSES if cause.name == alarm.kind])
    if action != "check_again":
        return answer
    with reading(context.engine) as conn:
        row = find_alarm(conn, alarm.id)
    is_over = row is not None and row.ended_at is not None
    return "Checked just now: it is over." if is_over else "Checked just now: nothing has changed."


def _check_again(_: Context, __: Connection, ___: AlarmRow) -> str:
    return ""


def _resume_chain(context: Context, _: Connection, __: AlarmRow) -> str:
    resume_chain(context.redis, ignore_limit=True)
    return "The chain runs again. For an hour, hooks that fail are kept as unreadable and can be tried again."


def _send_canary(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    if not context.settings.canary_seconds:
        raise Misconfigured("Test hooks are switched off: CRATEWIRE_CANARY_SECONDS is 0")
    store_id = alarm.store_id or find_next_canary_store(conn)
    if store_id is None:
        raise Misconfigured("No store is connected to which a test hook could be sent")
    request_canary(conn, store_id, context.make_nonce(), context.now())
    return "A test hook is sent to the public address. Within two minutes this page says whether it came back."


def _look_for_hooks(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    store_id, has_canaries = _get_store_id(alarm), bool(context.settings.canary_seconds)
    has_api = find_store_api(conn, store_id) is not None
    if has_api:
        request_hook_audit(conn, store_id, context.now())
        request_pass(conn, store_id, context.now())
    elif not has_canaries:
        raise Misconfigured(f"{NO_KEYS}: look in the shop whether it sold anything meanwhile")
    if has_canaries:
        request_canary(conn, store_id, context.make_nonce(), context.now())
    if has_api:
        return "Cratejoy's hooks are checked now, and its API is searched for events that no hook reported."
    return f"A test hook is sent to the public address. {NO_KEYS}: look in the shop whether it sold anything meanwhile."


def _register_hooks(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    store_id = _get_store_id(alarm)
    if find_store_api(conn, store_id) is None:
        raise Misconfigured(f"{NO_KEYS}: register the hooks by hand")
    request_hook_audit(conn, store_id, context.now())
    return "The hooks at Cratejoy are compared now, and what is missing or wrong is registered again."


def _check_platform_keys(context: Context, alarm: AlarmRow) -> None:
    with reading(context.engine) as conn:
        connection = _get_connection(conn, alarm)
    check_saved_keys(context.settings.secret_keys, connection, context.http)


def _try_keys(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    connection = _get_connection(conn, alarm)
    resume_connection(conn, connection.id, context.now())
    title = format_platform_title(connection.platform, connection.label)
    return f"{title} takes the saved keys. {_count_waiting(conn, connection)} now, in order."


def _send_now(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    connection = _get_connection(conn, alarm)
    title = format_platform_title(connection.platform, connection.label)
    lanes = Lane.connection_id == connection.id, Lane.next_attempt_at > context.now()
    conn.execute(update(Lane).where(*lanes).values(next_attempt_at=context.now()))
    return f"The next message is tried at {title} now. If it is taken, all others follow."


def _check_cratejoy_keys(context: Context, alarm: AlarmRow) -> None:
    open_store_client(context, _get_store_id(alarm)).check()


def _try_cratejoy_keys(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    store_id = _get_store_id(alarm)
    record_key_check(conn, store_id, None, context.now())
    request_hook_audit(conn, store_id, context.now())
    return "Cratejoy takes the saved keys. The hooks are checked now, and missing events are searched for."


def _read_customers(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    create_backfill(conn, _get_store_id(alarm), ALL, context.now())
    return "The customers are read again. The store's page shows how far it is."


def _compare(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    store_id = _get_store_id(alarm)
    if not load_reconciliations(conn, store_id):
        raise Misconfigured(NO_KEYS)
    request_pass(conn, store_id, context.now())
    return "The store's API is compared with its hooks now."


def _remove_hooks(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    store_id = _get_store_id(alarm)
    removal = find_removal(conn, store_id)
    if removal is None:
        raise Misconfigured("The store is kept: its removal was called off")
    request_removal(conn, store_id, context.now(), leaves_hooks=removal.leaves_hooks)
    return "The removal of the hooks at Cratejoy is tried again now."


def _take_as_usual(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    store_id, event = _get_store_id(alarm), alarm.said.get("event_name", "")
    is_rate = alarm.kind == RATE
    end_changes(conn, store_id, event, context.now(), kinds=RATE_KINDS if is_rate else KEY_KINDS)
    if is_rate:
        take_as_usual(conn, store_id, event, context.now())
        return f"How often {event} comes is learned anew from now on, for 30 days."
    return f"The data of {event} is taken as usual as it is now."


def _resume_warehouse(context: Context, conn: Connection, alarm: AlarmRow) -> str:
    store_id = _get_store_id(alarm)
    resume_warehouse(conn, store_id, context.now())
    update_warehouse(conn, store_id, wait_until=0, failures=0, trouble=None)
    return "The warehouse is called again now. What waits goes out in order."


CHECKS: Mapping[Action, Callable[[Context, AlarmRow], None]] = {
    "try_keys": _check_platform_keys,
    "try_cratejoy_keys": _check_cratejoy_keys,
}
ACTIONS: Mapping[Action, Callable[[Context, Connection, AlarmRow], str]] = {
    "check_again": _check_again,
    "resume_chain": _resume_chain,
    "send_canary": _send_canary,
    "look_for_hooks": _look_for_hooks,
    "register_hooks": _register_hooks,
    "try_keys": _try_keys,
    "send_now": _send_now,
    "try_cratejoy_keys": _try_cratejoy_keys,
    "read_customers": _read_customers,
    "compare": _compare,
    "remove_hooks": _remove_hooks,
    "take_as_usual": _take_as_usual,
    "resume_warehouse": _resume_warehouse,
}


def _get_store_id(alarm: AlarmRow) -> int:
    if alarm.store_id is None:
        raise Misconfigured("This concerns no single store")
    return alarm.store_id


def _get_connection(conn: Connection, alarm: AlarmRow) -> ConnectionRow:
    connection = find_connection(conn, int(alarm.said.get("connection", 0)))
    if connection is None or connection.store_id != alarm.store_id:
        raise Misconfigured("The connection was removed meanwhile")
    return connection


def _count_waiting(conn: Connection, connection: ConnectionRow) -> str:
    query = select(Delivery.id).where(OPEN, Delivery.connection_id == connection.id).limit(_MAX_COUNTED + 1)
    count = len(conn.execute(query).all())
    if count > _MAX_COUNTED:
        return f"More than {_MAX_COUNTED:,} messages leave"
    return f"{pluralize(count, 'message')} {'leaves' if count == 1 else 'leave'}"


_MAX_COUNTED = 10_000

"""The button with which an owner retries saved keys that Cratejoy or a platform refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from redis import RedisError

from pipeline.context import Context
from pipeline.core.errors import CratewireError
from pipeline.cratejoy.factory import open_store_client
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.audit import record_store_action
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import ACTIVE, find_store_api, record_key_check, request_hook_audit
from pipeline.operations.pause import is_paused_by_platform, resume_with_saved_keys
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.connect.credential_check import FormRejected, count_try
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("resuming", __name__)


@blueprint.post("/stores/<name>/resume")
@requires("pause")
def resume(name: str) -> ResponseReturnValue:
    """Retry the keys that Cratejoy or a platform refused. What was paused by the operator stays paused."""
    store = get_my_store(name)
    context = get_context()
    with reading(context.engine) as conn:
        paused = [
            connection
            for connection in list_store_connections(conn, store.store_id)
            if is_paused_by_platform(connection.status_reason)
        ]
        api = find_store_api(conn, store.store_id)
    if api is not None and api.status != ACTIVE:
        _try_and_report("Cratejoy", store, lambda: _retry_cratejoy(context, store))
    for connection in paused:
        try_again = partial(
            resume_with_saved_keys,
            context.engine,
            context.settings.secret_keys,
            connection,
            context.http,
            context.now(),
            get_actor(),
        )
        _try_and_report(DESTINATIONS[connection.platform].title, store, try_again)
    return redirect(url_for("home.store", name=name))


def _try_and_report(who: str, store: VisibleStore, try_again: Callable[[], None]) -> None:
    """Retry, and show a message if it failed."""
    try:
        count_try(f"store {store.store_id}")
        try_again()
    except (CratewireError, FormRejected) as error:
        flash(f"{who} stays paused. {sentence(str(error))}", "error")
    except RedisError:
        flash("The saved keys cannot be checked at the moment. Please try again.", "error")


def _retry_cratejoy(context: Context, store: VisibleStore) -> None:
    """Check the saved keys. If they are accepted, request an audit of the hooks."""
    open_store_client(context, store.store_id).check()
    with writing(context.engine) as conn:
        record_key_check(conn, store.store_id, None, context.now())
        request_hook_audit(conn, store.store_id, context.now())
        record_store_action(conn, store.store_id, get_actor(), "store.resumed", context.now())

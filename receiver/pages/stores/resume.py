"""The button with which an owner has saved keys tried again that Cratejoy or a platform refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required
from redis import RedisError

from pipeline.context import Context
from pipeline.core.errors import CratewireError
from pipeline.cratejoy.factory import open_store_client
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import VisibleStore
from pipeline.ledger.connections import list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import ACTIVE, find_store_api, record_key_check, request_hook_audit
from pipeline.operations.pause import is_paused_by_platform, resume_with_saved_keys
from receiver.pages.auth.permissions import get_my_store, require_owner
from receiver.pages.connect.credential_check import FormRejected
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.rate_limit import get_client_network

blueprint = Blueprint("resuming", __name__)


@blueprint.post("/stores/<name>/resume")
@auth_required("session")
def resume(name: str) -> ResponseReturnValue:
    """Try the keys that Cratejoy, or a platform, has refused. What was paused by hand is for who did that."""
    store = get_my_store(name)
    require_owner(store.account_id)
    site = get_context()
    with reading(site.engine) as db:
        paused = [one for one in list_store_connections(db, store.store_id) if is_paused_by_platform(one.status_reason)]
        api = find_store_api(db, store.store_id)
    if api is not None and api.status != ACTIVE:
        _try_and_report("Cratejoy", store, lambda: _retry_cratejoy(site, store))
    for link in paused:
        again = partial(resume_with_saved_keys, site.engine, site.settings.secret_keys, link, site.http, site.now())
        _try_and_report(DESTINATIONS[link.platform].title, store, again)
    return redirect(url_for("home.store", name=name))


def _try_and_report(who: str, store: VisibleStore, try_again: Callable[[], None]) -> None:
    """Try, and say what came of it if it was refused."""
    try:
        current_app.extensions["cratewire.tries"].take(get_client_network(), f"store {store.store_id}")
        try_again()
    except (CratewireError, FormRejected) as error:
        flash(f"{who} stays paused. {sentence(str(error))}", "error")
    except RedisError:
        flash("The saved keys cannot be tried at the moment. Please try again.", "error")


def _retry_cratejoy(site: Context, store: VisibleStore) -> None:
    """Ask with the saved keys; if they are taken, the hooks are looked at next."""
    open_store_client(site, store.store_id).check()
    with writing(site.engine) as db:
        record_key_check(db, store.store_id, None, site.now())
        request_hook_audit(db, store.store_id, site.now())

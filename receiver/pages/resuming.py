"""The button with which an owner has saved keys tried again that Cratejoy or a platform refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from flask import Blueprint, current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required
from redis import RedisError

from pipeline.cratejoy.opening import open_store
from pipeline.destinations import DESTINATIONS
from pipeline.errors import CratewireError
from pipeline.ledger.accounts import Seen
from pipeline.ledger.connections import connections_of
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.store_apis import ACTIVE, ask_for_audit, find_api, note_api
from pipeline.pausing import by_platform, go_on
from receiver.pages.connect.trying import Refused
from receiver.pages.crowd import network_here
from receiver.pages.rights import my_store, require_owner
from receiver.pages.sessions import here
from receiver.pages.shown import sentence
from receiver.pages.site import Site

blueprint = Blueprint("resuming", __name__)


@blueprint.post("/stores/<name>/resume")
@auth_required("session")
def resume(name: str) -> ResponseReturnValue:
    """Try the keys that Cratejoy, or a platform, has refused. What was paused by hand is for who did that."""
    store = my_store(name)
    require_owner(store.account_id)
    site = here()
    with reading(site.engine) as db:
        paused = [one for one in connections_of(db, store.store_id) if by_platform(one.status_reason)]
        api = find_api(db, store.store_id)
    if api is not None and api.status != ACTIVE:
        _saying("Cratejoy", store, lambda: _try_cratejoy(site, store))
    for link in paused:
        again = partial(go_on, site.engine, site.settings.secret_keys, link, site.outside, site.now())
        _saying(DESTINATIONS[link.platform].title, store, again)
    return redirect(url_for("home.store", name=name))


def _saying(who: str, store: Seen, try_again: Callable[[], None]) -> None:
    """Try, and say what came of it if it was refused."""
    try:
        current_app.extensions["cratewire.tries"].take(network_here(), f"store {store.store_id}")
        try_again()
    except (CratewireError, Refused) as error:
        flash(f"{who} stays paused. {sentence(str(error))}", "error")
    except RedisError:
        flash("The saved keys cannot be tried at the moment. Please try again.", "error")


def _try_cratejoy(site: Site, store: Seen) -> None:
    """Ask with the saved keys; if they are taken, the hooks are looked at next."""
    settings = site.settings
    api = open_store(
        site.engine,
        site.redis,
        settings.secret_keys,
        store.store_id,
        http=site.outside,
        per_second=settings.cratejoy_rate,
    )
    api.check()
    with writing(site.engine) as db:
        note_api(db, store.store_id, None, site.now())
        ask_for_audit(db, store.store_id, site.now())

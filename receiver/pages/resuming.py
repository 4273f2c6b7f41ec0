"""The button with which an owner has the saved keys of a paused connection tried again."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_security import auth_required

from pipeline.errors import CratewireError
from pipeline.ledger.connections import connections_of
from pipeline.ledger.engine import reading
from pipeline.pausing import by_platform, go_on
from receiver.pages.connect.trying import Refused
from receiver.pages.crowd import network_here
from receiver.pages.rights import my_store, require_owner
from receiver.pages.sessions import here

blueprint = Blueprint("resuming", __name__)


@blueprint.post("/stores/<name>/resume")
@auth_required("session")
def resume(name: str) -> ResponseReturnValue:
    """Try the keys of whatever the platform has paused. What was paused by hand is for whoever did that."""
    store = my_store(name)
    require_owner(store.account_id)
    site = here()
    with reading(site.engine) as db:
        paused = [one for one in connections_of(db, store.store_id) if by_platform(one.status_reason)]
    for link in paused:
        try:
            current_app.extensions["cratewire.tries"].take(network_here(), f"store {store.store_id}")
            go_on(site.engine, site.settings.secret_keys, link, site.outside, site.now())
        except (CratewireError, Refused) as error:
            flash(f"{link.platform} stays paused: {str(error).rstrip('.')}.", "error")
    return redirect(url_for("home.store", name=name))

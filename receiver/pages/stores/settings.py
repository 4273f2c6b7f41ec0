"""The settings of a store: keys, events, alarms, whose data it forwards, titles. Owners change them, others look."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.core.consent import GIFT_RECIPIENT_POLICIES, MARKETPLACE_POLICIES, MarketplacePolicy
from pipeline.core.errors import Misconfigured
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import VisibleStore, list_owner_emails
from pipeline.ledger.audit import record_store_action
from pipeline.ledger.connections import list_store_connections, rename_connection
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries import list_kept_data
from pipeline.ledger.stores import StoreRow, get_store, rename_store
from pipeline.operations.connect import OriginAnswer, add_origins
from pipeline.operations.consent import set_gift_recipients, set_marketplace_policy
from pipeline.operations.retention import get_days_by_kind
from receiver.consent_view import MARKETPLACE_TEXTS, load_consent_view
from receiver.pages.auth.permissions import get_actor, get_my_id, get_my_store, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence
from receiver.pages.stores.events_sent import list_switches
from receiver.pages.stores.keys import load_key_groups

blueprint = Blueprint("store_settings", __name__)

NOT_CONFIRMED = "Nothing was changed: to forward Marketplace customers, confirm that they have agreed."
MAX_QUESTIONS = 200


@blueprint.get("/stores/<name>/settings")
@requires("see")
def show(name: str) -> str:
    """Show the settings; owners can change them."""
    store = get_my_store(name)
    context = get_context()
    with reading(context.engine) as conn:
        row = _get_row(conn, store)
        connections = list_store_connections(conn, store.store_id)
        consent = load_consent_view(conn, row)
        groups = load_key_groups(conn, store.store_id)
        owners = list_owner_emails(conn, store.account_id)
        kept = list_kept_data(conn, get_days_by_kind(context.settings), context.now())
    return render_template(
        "store_settings.html",
        store=store,
        row=row,
        connections=connections,
        consent=consent,
        groups=groups,
        switches=list_switches(row),
        owners=owners,
        has_notices=bool(context.settings.alarm_url),
        kept=kept,
        platforms=DESTINATIONS,
        can_change=store.allows("change_settings"),
        policies=MARKETPLACE_TEXTS,
        gift_policies=GIFT_RECIPIENT_POLICIES,
    )


@blueprint.post("/stores/<name>/settings/titles")
@requires("change_settings")
def rename(name: str) -> ResponseReturnValue:
    """Change the titles of the store and its connections."""
    store = get_my_store(name)
    try:
        with writing(get_context().engine) as conn:
            rename_store(conn, store.store_id, request.form.get("title"))
            for connection in list_store_connections(conn, store.store_id):
                title = request.form.get(f"connection-{connection.id}")
                if title is not None:
                    rename_connection(conn, connection.id, title)
            record_store_action(conn, store.store_id, get_actor(), "store.renamed", get_context().now())
    except Misconfigured as error:
        flash(f"Nothing was changed. {sentence(str(error))}", "error")
    else:
        flash("Saved.", "success")
    return redirect(url_for("store_settings.show", name=name))


@blueprint.post("/stores/<name>/settings/consent")
@requires("change_settings")
def change_consent(name: str) -> ResponseReturnValue:
    """Change whose data is forwarded. Only what differs from before is saved, as a decision of this user."""
    store = get_my_store(name)
    try:
        with writing(get_context().engine) as conn:
            _change_consent(conn, _get_row(conn, store))
            record_store_action(conn, store.store_id, get_actor(), "store.consent_changed", get_context().now())
    except Misconfigured as error:
        flash(sentence(str(error)), "error")
    else:
        flash("Saved.", "success")
    return redirect(url_for("store_settings.show", name=name))


def _change_consent(conn: Connection, row: StoreRow) -> None:
    """Save what the form changes. Raise Misconfigured, and save nothing, if a confirmation is missing."""
    now, who = get_context().now(), str(get_my_id())
    policy = _get_policy()
    if policy is not None and policy != row.marketplace_policy:
        if policy == "forward" and not request.form.get("confirmed"):
            raise Misconfigured(NOT_CONFIRMED)
        set_marketplace_policy(conn, row.id, policy, who, now)
    known = {"marketplace": row.marketplace_sources or (), "storefront": row.storefront_sources or ()}
    said = _read_origins()
    new = {origin: [value for value in said[origin] if value not in values] for origin, values in known.items()}
    add_origins(conn, row.id, OriginAnswer((), new["marketplace"], new["storefront"], who), now)
    for gift_policy in GIFT_RECIPIENT_POLICIES:
        if request.form.get("gift_recipients") == gift_policy != row.gift_recipients:
            set_gift_recipients(conn, row.id, gift_policy, who, now)


def _get_policy() -> MarketplacePolicy | None:
    return next((policy for policy in MARKETPLACE_POLICIES if policy == request.form.get("marketplace")), None)


def _read_origins() -> dict[str, list[str]]:
    """Return the values that the form says to be Marketplace or storefront; the others stay as they are."""
    said: dict[str, list[str]] = {"marketplace": [], "storefront": []}
    for number in range(MAX_QUESTIONS):
        value, origin = request.form.get(f"value-{number}"), request.form.get(f"origin-{number}")
        if value and origin in said:
            said[origin].append(value)
    return said


def _get_row(conn: Connection, store: VisibleStore) -> StoreRow:
    return get_store(conn, store.store_id) or abort(404)

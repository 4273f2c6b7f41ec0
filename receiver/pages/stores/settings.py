"""The settings of a store: keys, events, alarms, whose data it forwards, titles. Owners change them, others look."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from pipeline.core.consent import GIFT_RECIPIENT_POLICIES, MARKETPLACE_POLICIES, MarketplacePolicy
from pipeline.core.errors import Misconfigured
from pipeline.destinations import DESTINATIONS
from pipeline.ledger.accounts import VisibleStore, list_owner_emails
from pipeline.ledger.audit import About, record_store_action
from pipeline.ledger.connection_people import find_people
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
SAVED, UNCHANGED = "Saved.", "Nothing was changed."
MAX_QUESTIONS = 200


@blueprint.get("/stores/<name>/settings")
@requires("see")
def show(name: str) -> str:
    """Show the settings; owners can change them."""
    store = get_my_store(name)
    context = get_context()
    with reading(context.engine) as conn:
        row = _get_row(conn, store)
        consent = load_consent_view(conn, row)
        groups = load_key_groups(conn, store.store_id)
        connections = [group.connection for group in groups if group.connection is not None]
        people = {one.id: find_people(conn, one.id) for one in connections}
        owners = list_owner_emails(conn, store.account_id)
        kept = list_kept_data(conn, get_days_by_kind(context.settings), context.now())
    return render_template(
        "store_settings.html",
        store=store,
        row=row,
        connections=connections,
        people=people,
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
            changed = _save_titles(conn, store)
            for action, about in changed:
                record_store_action(conn, store.store_id, get_actor(), action, get_context().now(), about)
    except Misconfigured as error:
        flash(f"Nothing was changed. {sentence(str(error))}", "error")
    else:
        flash(SAVED if changed else UNCHANGED, "success")
    return redirect(url_for("store_settings.show", name=name))


@blueprint.post("/stores/<name>/settings/consent")
@requires("change_settings")
def change_consent(name: str) -> ResponseReturnValue:
    """Change whose data is forwarded. Only what differs from before is saved, as a decision of this user."""
    store = get_my_store(name)
    try:
        with writing(get_context().engine) as conn:
            is_changed = _change_consent(conn, _get_row(conn, store))
            if is_changed:
                record_store_action(conn, store.store_id, get_actor(), "store.consent_changed", get_context().now())
    except Misconfigured as error:
        flash(sentence(str(error)), "error")
    else:
        flash(SAVED if is_changed else UNCHANGED, "success")
    return redirect(url_for("store_settings.show", name=name))


def _save_titles(conn: Connection, store: VisibleStore) -> list[tuple[str, About]]:
    """Save the titles of the form. Returns what was changed, as the audit log has it."""
    changed: list[tuple[str, About]] = []
    if rename_store(conn, store.store_id, request.form.get("title")):
        changed.append(("store.renamed", {}))
    for connection in list_store_connections(conn, store.store_id):
        title = request.form.get(f"connection-{connection.id}")
        if title is not None and rename_connection(conn, connection.id, title):
            changed.append(("connection.renamed", {"connection": connection.id}))
    return changed


def _change_consent(conn: Connection, row: StoreRow) -> bool:
    """Save what the form changes; False if that is nothing.

    Raise Misconfigured, and save nothing, if a confirmation is missing.
    """
    now, who = get_context().now(), str(get_my_id())
    policy = _get_policy()
    is_changed = policy not in (None, row.marketplace_policy)
    if policy is not None and is_changed:
        if policy == "forward" and not request.form.get("confirmed"):
            raise Misconfigured(NOT_CONFIRMED)
        set_marketplace_policy(conn, row.id, policy, who, now)
    known = {"marketplace": row.marketplace_sources or (), "storefront": row.storefront_sources or ()}
    said = _read_origins()
    new = {origin: [value for value in said[origin] if value not in values] for origin, values in known.items()}
    add_origins(conn, row.id, OriginAnswer((), new["marketplace"], new["storefront"], who), now)
    is_changed = is_changed or any(new.values())
    for gift_policy in GIFT_RECIPIENT_POLICIES:
        if request.form.get("gift_recipients") == gift_policy != row.gift_recipients:
            set_gift_recipients(conn, row.id, gift_policy, who, now)
            is_changed = True
    return is_changed


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

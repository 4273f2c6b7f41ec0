"""Prefills the form of a store that is connected again, so that only what changes must be entered.

Saved secrets are never shown. A secret left empty is filled from the saved one, unless the form names another URL:
no saved key is sent to a host that it was not saved for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.context import Context
from pipeline.destinations import DESTINATIONS
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.connections import ConnectionRow, list_store_connections
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import find_store_api
from pipeline.ledger.stores import find_store
from receiver.pages.connect.form import ConnectForm, get_field_name


@dataclass(frozen=True, slots=True)
class SavedFields:
    """Saved values by form field. A secret is used only with the URL that it was saved with."""

    plain: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    address_of: Mapping[str, tuple[str, ...]]  # a secret's field -> the fields that decide where it goes


def load_saved_fields(context: Context, store_id: int) -> SavedFields:
    """Load the saved fields of a store's API and of the connection that the form would change."""
    plain: dict[str, str] = {}
    secrets: dict[str, str] = {}
    address_of: dict[str, tuple[str, ...]] = {}
    with reading(context.engine) as conn:
        api = find_store_api(conn, store_id)
        connections = [find_connection_to_change(conn, store_id, platform) for platform in DESTINATIONS]
    if api is not None:
        keys = decrypt(context.settings.secret_keys, api.config, api.identity)
        plain |= {"client_id": keys["client_id"], "cratejoy_url": keys["base_url"]}
        secrets["client_secret"], address_of["client_secret"] = keys["client_secret"], ("cratejoy_url",)
    for connection in filter(None, connections):
        config, fields = (
            decrypt(context.settings.secret_keys, connection.config, connection.identity),
            DESTINATIONS[connection.platform].fields,
        )
        addresses = tuple(
            get_field_name(connection.platform, declared)
            for declared in fields
            if declared.sets_host or declared.names_host
        )
        for declared in fields:
            name = get_field_name(connection.platform, declared)
            (secrets if declared.secret else plain)[name] = config.get(declared.key, "")
            address_of |= {name: addresses} if declared.secret else {}
    return SavedFields(plain, secrets, address_of)


def prefill_form(form: ConnectForm, saved: SavedFields) -> None:
    """Fill a new form with the saved values that are not secret; secrets need not be entered."""
    for name, value in saved.plain.items():
        if name in form and value:
            form[name].data = value
    form.remembered = frozenset(saved.secrets)


def fill_missing_secrets(form: ConnectForm, saved: SavedFields) -> None:
    """Fill the secrets that were left empty in a submitted form with the saved ones."""
    for name, value in saved.secrets.items():
        is_same_address = all(
            (form[address].data or "").strip() == saved.plain.get(address, "").strip()
            for address in saved.address_of[name]
            if address in form
        )
        if name in form and not form[name].data and is_same_address:
            form[name].data = value


def find_connection_to_change(conn: Connection, store_id: int, platform: str) -> ConnectionRow | None:
    """Return the connection that the form changes: that without a label, or else the first; None without any."""
    connections = [declared for declared in list_store_connections(conn, store_id) if declared.platform == platform]
    return next((declared for declared in connections if not declared.label), next(iter(connections), None))


def find_label_to_change(conn: Connection, store_name: str, platform: str) -> str:
    """Return the label of the connection that the form changes; "" if there is none."""
    store = find_store(conn, store_name)
    connection = find_connection_to_change(conn, store.id, platform) if store else None
    return connection.label if connection else ""

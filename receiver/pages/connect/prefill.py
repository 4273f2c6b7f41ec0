"""What is saved of a store that is connected again: to change one key, one key is asked for.

No secret that is saved is shown. One that is left empty is taken from what is saved, unless the form names another
address: no saved key goes to where it has not been before.
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
    """By the names of the form's fields. A secret counts only beside the address it was saved with."""

    plain: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    address_of: Mapping[str, str]  # a secret's field -> that of its address


def load_saved_fields(site: Context, store_id: int) -> SavedFields:
    """What is saved of a store's API, and of the connection that the form would change."""
    plain: dict[str, str] = {}
    secrets: dict[str, str] = {}
    address_of: dict[str, str] = {}
    with reading(site.engine) as db:
        api = find_store_api(db, store_id)
        links = [find_connection_to_change(db, store_id, platform) for platform in DESTINATIONS]
    if api is not None:
        keys = decrypt(site.settings.secret_keys, api.config)
        plain |= {"client_id": keys["client_id"], "cratejoy_url": keys["base_url"]}
        secrets["client_secret"], address_of["client_secret"] = keys["client_secret"], "cratejoy_url"
    for link in filter(None, links):
        config, fields = decrypt(site.settings.secret_keys, link.config), DESTINATIONS[link.platform].fields
        address = next((get_field_name(link.platform, one) for one in fields if one.sets_host), "")
        for one in fields:
            name = get_field_name(link.platform, one)
            (secrets if one.secret else plain)[name] = config.get(one.key, "")
            address_of |= {name: address} if one.secret else {}
    return SavedFields(plain, secrets, address_of)


def prefill_form(form: ConnectForm, saved: SavedFields) -> None:
    """For a form that is drawn the first time: what is no secret is shown, secrets need not be typed."""
    for name, value in saved.plain.items():
        if name in form and value:
            form[name].data = value
    form.remembered = frozenset(saved.secrets)


def fill_missing_secrets(form: ConnectForm, saved: SavedFields) -> None:
    """For a form that was sent: secrets that were left empty are the saved ones."""
    for name, value in saved.secrets.items():
        address = saved.address_of[name]
        same = address not in form or (form[address].data or "").strip() == saved.plain.get(address)
        if name in form and not form[name].data and same:
            form[name].data = value


def find_connection_to_change(db: Connection, store_id: int, platform: str) -> ConnectionRow | None:
    """The form knows no labels: it changes the connection that has none, or else the first there is."""
    links = [one for one in list_store_connections(db, store_id) if one.platform == platform]
    return next((one for one in links if not one.label), next(iter(links), None))


def find_label_to_change(db: Connection, store_name: str, platform: str) -> str:
    """The label of that connection, if there is one."""
    store = find_store(db, store_name)
    link = find_connection_to_change(db, store.id, platform) if store else None
    return link.label if link else ""

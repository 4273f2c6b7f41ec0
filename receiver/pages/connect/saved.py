"""What is saved of a store that is connected again: to change one key, one key is asked for.

No secret that is saved is shown. One that is left empty is taken from what is saved, unless the form names another
address: no saved key goes to where it has not been before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pipeline.destinations import DESTINATIONS
from pipeline.ledger.connections import ConnectionRow, connections_of
from pipeline.ledger.engine import reading
from pipeline.ledger.store_apis import find_api
from pipeline.ledger.stores import find_store
from pipeline.secrets import unseal
from receiver.pages.connect.form import ConnectForm, name_of
from receiver.pages.site import Site


@dataclass(frozen=True, slots=True)
class Saved:
    """By the names of the form's fields. A secret counts only beside the address it was saved with."""

    plain: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    address_of: Mapping[str, str]  # a secret's field -> that of its address


def saved_of(site: Site, store_id: int) -> Saved:
    """What is saved of a store's API, and of the connection that the form would change."""
    plain: dict[str, str] = {}
    secrets: dict[str, str] = {}
    address_of: dict[str, str] = {}
    with reading(site.engine) as db:
        api = find_api(db, store_id)
        links = [connection_to_change(db, store_id, platform) for platform in DESTINATIONS]
    if api is not None:
        keys = unseal(site.settings.secret_keys, api.config)
        plain |= {"client_id": keys["client_id"], "cratejoy_url": keys["base_url"]}
        secrets["client_secret"], address_of["client_secret"] = keys["client_secret"], "cratejoy_url"
    for link in filter(None, links):
        config, fields = unseal(site.settings.secret_keys, link.config), DESTINATIONS[link.platform].fields
        address = next((name_of(link.platform, one) for one in fields if one.elsewhere), "")
        for one in fields:
            name = name_of(link.platform, one)
            (secrets if one.secret else plain)[name] = config.get(one.key, "")
            address_of |= {name: address} if one.secret else {}
    return Saved(plain, secrets, address_of)


def fill_in(form: ConnectForm, saved: Saved) -> None:
    """For a form that is drawn the first time: what is no secret is shown, secrets need not be typed."""
    for name, value in saved.plain.items():
        if name in form and value:
            form[name].data = value
    form.remembered = frozenset(saved.secrets)


def complete(form: ConnectForm, saved: Saved) -> None:
    """For a form that was sent: secrets that were left empty are the saved ones."""
    for name, value in saved.secrets.items():
        address = saved.address_of[name]
        same = address not in form or (form[address].data or "").strip() == saved.plain.get(address)
        if name in form and not form[name].data and same:
            form[name].data = value


def connection_to_change(db: Connection, store_id: int, platform: str) -> ConnectionRow | None:
    """The form knows no labels: it changes the connection that has none, or else the first there is."""
    links = [one for one in connections_of(db, store_id) if one.platform == platform]
    return next((one for one in links if not one.label), next(iter(links), None))


def label_to_change(db: Connection, store_name: str, platform: str) -> str:
    """The label of that connection, if there is one."""
    store = find_store(db, store_name)
    link = connection_to_change(db, store.id, platform) if store else None
    return link.label if link else ""

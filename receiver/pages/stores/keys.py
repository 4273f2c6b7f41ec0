"""The keys of a store, each changed alone: one key is asked for, checked with the saved others, and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis import RedisError
from sqlalchemy import Connection

from pipeline.core.errors import KeysInUse, Misconfigured
from pipeline.core.form_fields import Field
from pipeline.cratejoy.factory import open_client
from pipeline.destinations import DESTINATIONS
from pipeline.infra.crypto.encryption import RowIdentity, decrypt
from pipeline.ledger.connections import ConnectionRow, format_connection_name, list_store_connections
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.queries.key_use import find_connection_use, find_cratejoy_use
from pipeline.ledger.store_apis import ACTIVE, find_store_api
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.operations.change_keys import (
    change_connection_keys,
    change_cratejoy_keys,
    list_connection_fields,
    list_cratejoy_fields,
    merge_config,
)
from receiver.pages.auth.permissions import get_actor, get_my_store, requires
from receiver.pages.connect.credential_check import FormRejected, count_try, format_error, try_cratejoy, try_platform
from receiver.pages.connect.steps import UNAVAILABLE
from receiver.pages.db_session import get_context
from receiver.pages.filters import sentence

blueprint = Blueprint("store_keys", __name__)

CRATEJOY = "cratejoy"  # the place of Cratejoy's keys in a URL; that of a connection's keys is its id


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The keys of Cratejoy or of a connection. `refused`: why they are not taken; None: they work."""

    place: str
    title: str
    fields: Sequence[Field]
    config: Mapping[str, str] = field(repr=False)
    used_at: int | None
    refused: str | None
    connection: ConnectionRow | None = None

    def get_shown(self, one: Field) -> str:
        """What is shown of a value: nothing of a secret."""
        value = self.config.get(one.key, "")
        if one.is_document and value:
            return f"{len(value.splitlines())} lines"
        return value if not one.secret else "••••••••" if value or one.required else ""

    def find_field(self, key: str) -> Field | None:
        return next((one for one in self.fields if one.key == key), None)

    def list_companions(self, one: Field) -> list[Field]:
        """The secrets that may come with a new value: those beside an id, and all of them with another address."""
        is_alone = one.secret or (one.choices and not one.names_host)
        return [] if is_alone else [other for other in self.fields if other.secret]


def load_key_groups(conn: Connection, store_id: int) -> list[KeyGroup]:
    """Load the keys of Cratejoy, if they are saved, and of every connection."""
    context = get_context()
    anywhere, secret_keys = context.settings.connect_anywhere, context.settings.secret_keys
    groups: list[KeyGroup] = []
    api = find_store_api(conn, store_id)
    if api is not None:
        config, fault = _decrypt(secret_keys, api.config, api.identity)
        refused = fault or (None if api.status == ACTIVE else sentence(api.status_reason or "Cratejoy refused them"))
        used_at = find_cratejoy_use(conn, api)
        groups.append(KeyGroup(CRATEJOY, "Cratejoy", list_cratejoy_fields(anywhere=anywhere), config, used_at, refused))
    for row in list_store_connections(conn, store_id):
        title = format_connection_name(DESTINATIONS[row.platform].title, row.label, row.title)
        fields = list_connection_fields(row.platform, anywhere=anywhere)
        config, fault = _decrypt(secret_keys, row.config, row.identity)
        refused = fault or (None if row.status == "active" else sentence(row.status_reason or "paused"))
        groups.append(
            KeyGroup(str(row.id), title, fields, config, find_connection_use(conn, row.id), refused, connection=row)
        )
    return groups


def _decrypt(secret_keys: Sequence[str], sealed: bytes, identity: RowIdentity) -> tuple[dict[str, str], str | None]:
    """Return the values, and what is wrong if no secret key of this installation opens them."""
    try:
        return decrypt(secret_keys, sealed, identity), None
    except Misconfigured as error:
        return {}, sentence(str(error))


@blueprint.get("/stores/<name>/settings/keys/<place>/<key>")
@requires("change_settings")
def show(name: str, place: str, key: str) -> str:
    """Ask for one key."""
    group, one = _find(name, place, key)
    return _render(name, group, one, {})


@blueprint.post("/stores/<name>/settings/keys/<place>/<key>")
@requires("change_settings")
def change(name: str, place: str, key: str) -> ResponseReturnValue:
    """Check the key with the saved others, and save it. Nothing is saved if it is refused."""
    group, one = _find(name, place, key)
    asked = [one, *group.list_companions(one)]
    typed = {each.key: value for each in asked if (value := request.form.get(each.key, "").strip())}
    if key not in typed and one.required:
        return _render(name, group, one, {key: f"{one.label} is missing."}), 422
    try:
        _check_and_save(name, group, typed)
    except FormRejected as error:
        shown = error.field if error.field in [each.key for each in asked] else key
        return _render(name, group, one, {shown: str(error)}), 422
    except RedisError:
        return _render(name, group, one, {key: UNAVAILABLE}), 503
    flash(f"{one.label} is saved. {group.title} takes it.", "success")
    return redirect(url_for("store_settings.show", name=name, _anchor="keys"))


def _find(name: str, place: str, key: str) -> tuple[KeyGroup, Field]:
    """Return the key, and the group that it is in; abort with 404 if there is none."""
    store = get_my_store(name)
    with reading(get_context().engine) as conn:
        groups = load_key_groups(conn, store.store_id)
    group = next((found for found in groups if found.place == place), None) or abort(404)
    return group, group.find_field(key) or abort(404)


def _render(name: str, group: KeyGroup, one: Field, errors: Mapping[str, str]) -> str:
    typed = request.form.get(one.key, group.config.get(one.key, ""))
    page = {"group": group, "field": one, "typed": typed, "companions": group.list_companions(one), "errors": errors}
    return render_template("store_key.html", store=get_my_store(name), **page)


def _check_and_save(name: str, group: KeyGroup, typed: Mapping[str, str]) -> None:
    """Raises FormRejected with the key that is to blame."""
    context, store = get_context(), _load_store(name)
    count_try(f"store {store.id}")
    try:
        config = merge_config(_list_all_fields(group), group.config, typed)
    except Misconfigured as error:
        raise FormRejected(str(error).partition(" ")[0], format_error(error)) from error
    secret_keys = context.settings.secret_keys
    if group.connection is None:
        credentials = try_cratejoy(config, lambda keys: open_client(context, keys))
        try:
            with writing(context.engine) as conn:
                change_cratejoy_keys(conn, secret_keys, store, credentials, get_actor(), context.now())
        except KeysInUse as error:
            raise FormRejected("client_id", format_error(error)) from error
        return
    checked = try_platform(group.connection.platform, config, context.http)
    with writing(context.engine) as conn:
        change_connection_keys(conn, secret_keys, group.connection, checked, get_actor(), context.now())


def _list_all_fields(group: KeyGroup) -> Sequence[Field]:
    return group.fields if group.connection is None else DESTINATIONS[group.connection.platform].fields


def _load_store(name: str) -> StoreRow:
    with reading(get_context().engine) as conn:
        return get_store(conn, get_my_store(name).store_id) or abort(404)

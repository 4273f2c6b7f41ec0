"""Changes single keys of a store, which were checked just before; the others stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.shared_keys import ensure_keys_unused
from pipeline.destinations import DESTINATIONS
from pipeline.destinations.base import CheckResult
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.audit import Actor, record_store_action
from pipeline.ledger.backfills import make_backfill_due
from pipeline.ledger.connections import ConnectionRow, NewConnection, save_connection, set_connection_config
from pipeline.ledger.fence import lock_fence
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import StoreRow

CRATEJOY_FIELDS: tuple[Field, ...] = (
    Field("client_id", "Client ID", help="Cratejoy: Settings, then API. A new Client ID comes with its own secret."),
    Field("client_secret", "Client Secret", secret=True, help="Cratejoy shows it beside the Client ID."),
    Field("base_url", "Address of the Merchant API", sets_host=True, help="It ends in /v1/."),
)


def merge_config(fields: Sequence[Field], saved: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """The saved values with those that were typed. What the check finds is found again.

    Raise Misconfigured if a value that decides the host changes while a secret is not typed anew: no saved secret goes
    to a host that it was not saved for.
    """
    moves = [
        field
        for field in fields
        if (field.sets_host or field.names_host)
        and typed.get(field.key, saved.get(field.key, "")) != saved.get(field.key, "")
    ]
    missing = [
        field.label
        for field in fields
        if moves and field.secret and not typed.get(field.key) and (field.required or saved.get(field.key))
    ]
    if missing:
        raise Misconfigured(f"{moves[0].key} is another address: enter {' and '.join(missing)} too")
    found_again = {field.key: "" for field in fields if field.is_found}
    return {**saved, **found_again, **{key: value for key, value in typed.items() if value}}


def change_cratejoy_keys(
    conn: Connection,
    secret_keys: Sequence[str],
    store: StoreRow,
    credentials: Credentials,
    actor: Actor,
    now: int,
) -> None:
    """Save checked keys of Cratejoy; an audit of the hooks is due, and what waited for the keys goes on.

    Raise KeysInUse if another store has them.
    """
    lock_fence(conn, "connecting")  # as in `connect`
    ensure_keys_unused(conn, secret_keys, store, credentials)
    sealed = encrypt(secret_keys, credentials.as_config(), build_api_identity(store.id))
    save_store_api(conn, store.id, sealed, now)
    make_backfill_due(conn, store.id, now)
    record_store_action(conn, store.id, actor, "store.key_changed", now)


def change_connection_keys(
    conn: Connection,
    secret_keys: Sequence[str],
    connection: ConnectionRow,
    checked: CheckResult,
    actor: Actor,
    now: int,
) -> None:
    """Save checked keys of a connection, which becomes active."""
    same = connection.store_id, connection.platform
    saved = save_connection(conn, NewConnection(*same, checked.account, b"", connection.label), now)
    set_connection_config(conn, saved.id, encrypt(secret_keys, checked.config, saved.identity))
    record_store_action(conn, saved.store_id, actor, "connection.key_changed", now, {"connection": saved.id})


def list_connection_fields(platform: str, *, anywhere: bool) -> list[Field]:
    """The fields of a platform that can be changed one by one. `anywhere`: the address too."""
    return [
        field for field in DESTINATIONS[platform].fields if not field.is_found and (anywhere or not field.sets_host)
    ]


def list_cratejoy_fields(*, anywhere: bool) -> list[Field]:
    """The same for Cratejoy."""
    return [field for field in CRATEJOY_FIELDS if anywhere or not field.sets_host]

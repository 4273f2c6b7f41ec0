"""What a person or a program fills in to connect a warehouse, and what is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.context import Context
from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.fulfilment.setting_fields import BY_KEY, SettingField
from pipeline.fulfilment.settings_json import REQUIRED
from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.engine import reading
from pipeline.ledger.fulfilment.warehouses import WarehouseRow, find_warehouse
from pipeline.ledger.store_apis import find_store_api
from pipeline.operations.change_keys import merge_config
from pipeline.warehouses import WAREHOUSES, get_title
from pipeline.warehouses.base import Warehouse

WHOLE_FORM = ""  # the place of an error that no field is to blame for


@dataclass(frozen=True, slots=True)
class ConnectForm:
    """What is asked for. `saved`: the keys of the same warehouse; `settings`: those that have to be named first."""

    warehouse: type[Warehouse]
    fields: Sequence[Field]
    settings: Sequence[SettingField]
    row: WarehouseRow | None
    has_cratejoy: bool
    saved: Mapping[str, str] = field(repr=False)

    @property
    def replaces(self) -> str | None:
        """The title of the warehouse that this one would take the place of."""
        is_other = self.row is not None and self.row.adapter != self.warehouse.adapter
        return get_title(self.row.adapter) if self.row is not None and is_other else None

    @property
    def has_keys(self) -> bool:
        """Whether there is a secret to be checked; a spreadsheet has none."""
        return any(one.secret for one in self.fields)

    def is_kept(self, one: Field) -> bool:
        """Whether the field may be left empty, since its secret is saved."""
        return one.secret and bool(self.saved.get(one.key))


def list_connect_fields(warehouse: type[Warehouse], *, anywhere: bool) -> list[Field]:
    """What is asked for. An address is, where there is no warehouse without it; else only where strangers cannot fill
    it in: `anywhere`.
    """
    return [one for one in warehouse.fields if anywhere or not (one.sets_host and one.default)]


def load_connect_form(context: Context, store_id: int, adapter: str) -> ConnectForm:
    """What a store is asked for to connect this warehouse. Raises KeyError if there is none of the name."""
    warehouse = WAREHOUSES[adapter]
    with reading(context.engine) as conn:
        row, has_cratejoy = find_warehouse(conn, store_id), find_store_api(conn, store_id) is not None
    stored = row.settings if row is not None else {}
    return ConnectForm(
        warehouse=warehouse,
        fields=list_connect_fields(warehouse, anywhere=context.settings.connect_anywhere),
        settings=[BY_KEY[key] for key in REQUIRED if key not in stored],
        row=row,
        has_cratejoy=has_cratejoy,
        saved=_open_saved(context, row) if row is not None and row.adapter == adapter else {},
    )


def merge_keys(form: ConnectForm, given: Mapping[str, str]) -> dict[str, str]:
    """The keys to check. A secret that is empty or absent is the saved one; another key only if it is absent.

    Raises Misconfigured if a saved secret would go to another address.
    """
    plain = {one.key: given[one.key] for one in form.fields if not one.secret and one.key in given}
    merged = merge_config(form.warehouse.fields, form.saved, given) if form.saved else dict(given)
    return {key: value for key, value in (merged | plain).items() if value}


def name_missing(form: ConnectForm, keys: Mapping[str, str]) -> dict[str, str]:
    """Key -> that it is missing."""
    asked = [one for one in form.fields if one.required and not one.default]
    return {one.key: f"{one.label} is missing." for one in asked if not keys.get(one.key)}


def place_errors(text: str, fields: Sequence[Field]) -> dict[str, str]:
    """Assign each part of an error, such as "api_user is missing; facility …", to the field that it names."""
    labels = {one.key: one.label for one in fields}
    placed: dict[str, str] = {}
    for part in text.split("; "):
        name, _, rest = part.partition(" ")
        key = name.rstrip(":")
        said = f"{labels[key]}{name[len(key) :]} {rest}" if key in labels else part
        place = key if key in labels else WHOLE_FORM
        sentence = f"{said[:1].upper()}{said[1:].rstrip('.')}."
        placed[place] = f"{placed[place]} {sentence}" if place in placed else sentence
    return placed


def _open_saved(context: Context, row: WarehouseRow) -> dict[str, str]:
    """The saved keys; none if no secret key fits any more, so that all are entered anew."""
    try:
        return decrypt(context.settings.secret_keys, row.config, row.identity)
    except Misconfigured:
        return {}

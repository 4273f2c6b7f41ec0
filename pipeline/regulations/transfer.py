"""Regulations as a document, so that a restore of an older backup does not lose them.

The document has no personal data: hashes, and their keys encrypted with the installation's secret keys.
"""

from __future__ import annotations

import base64
import json
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading
from pipeline.ledger.regulations import add_identifiers, add_regulation, list_regulations
from pipeline.ledger.schema.regulations import Regulation, RegulationIdentifier, RegulationKey
from pipeline.ledger.stores import find_store, list_stores

FORMAT, VERSION = "cratewire-regulations", 1
FILE_NAME = "regulations.json"  # in the data directory
_COLUMNS = ("uid", "store", "person_id", "kind", "user_id", "at_destinations", "created_at")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many regulations were new, known already, or of stores that the ledger does not have."""

    added: int
    known: int
    unknown_stores: int


def export_regulations(conn: Connection) -> dict[str, Any]:
    """All regulations with their hashes, and the keys of these."""
    hashes: defaultdict[int, list[list[str]]] = defaultdict(list)
    row = RegulationIdentifier
    query = select(row.regulation_id, row.kind, row.digest).order_by(row.regulation_id, row.kind, row.digest)
    for regulation_id, kind, digest in conn.execute(query):
        hashes[regulation_id].append([kind, digest])
    keys = conn.execute(select(RegulationKey.uid, RegulationKey.sealed, RegulationKey.created_at)).all()
    return {
        "format": FORMAT,
        "version": VERSION,
        "keys": [
            {"uid": key.uid, "sealed": base64.b64encode(key.sealed).decode("ascii"), "created_at": key.created_at}
            for key in keys
        ],
        "regulations": [
            {**{name: getattr(found, name) for name in _COLUMNS}, "identifiers": hashes[found.id]}
            for found in list_regulations(conn)
        ],
    }


def import_regulations(conn: Connection, document: Any) -> ImportResult:
    """Add the regulations that the ledger lacks; they are not applied yet.

    Raises Misconfigured for another document.
    """
    if not is_export(document):
        raise Misconfigured("that is no export of regulations")
    if document.get("version") != VERSION:
        raise Misconfigured(f"the export has version {document.get('version')}; this release reads version {VERSION}")
    try:
        return _import(conn, document)
    except (KeyError, TypeError, ValueError) as error:
        raise Misconfigured(f"the export of regulations is damaged ({type(error).__name__})") from error


def is_export(document: Any) -> bool:
    """Whether this is an export of regulations, of whatever version."""
    return isinstance(document, dict) and document.get("format") == FORMAT


def list_missing(conn: Connection, document: dict[str, Any]) -> list[str]:
    """The uids of the document's regulations that the ledger lacks, as after a restore of an older backup.

    Those of stores that the ledger does not have are not missing: the stores may have been removed.
    """
    known = set(conn.execute(select(Regulation.uid)).scalars())
    stores = {store.name for store in list_stores(conn)}
    return [
        found["uid"]
        for found in document.get("regulations", ())
        if found["uid"] not in known and found["store"] in stores
    ]


def list_unsaved(conn: Connection, document: dict[str, Any]) -> list[str]:
    """The uids of the ledger's regulations that the document lacks."""
    saved = {found["uid"] for found in document.get("regulations", ())}
    return [uid for uid in conn.execute(select(Regulation.uid)).scalars() if uid not in saved]


def save_regulations(engine: Engine, data_dir: Path) -> Path:
    """Export all regulations to the data directory; returns the path.

    Regulations of the older file that the ledger lacks stay in it: an erasure between a restore and the import that
    follows must not lose them. A file that is no export is kept under another name.
    """
    with reading(engine) as conn:
        document = export_regulations(conn)
    path = data_dir / FILE_NAME
    if path.exists():
        try:
            older = load_document(path)
        except Misconfigured:
            older = None
        if is_export(older):
            document = _merge(document, older)
        else:
            path.replace(path.with_name(f"{FILE_NAME}.damaged"))
    return _save(data_dir, document)


def _merge(document: dict[str, Any], older: dict[str, Any]) -> dict[str, Any]:
    """The document with the keys and regulations that only the older one has."""
    merged = dict(document)
    for part in ("keys", "regulations"):
        known = {entry["uid"] for entry in document[part]}
        merged[part] = [*(entry for entry in older.get(part, ()) if entry["uid"] not in known), *document[part]]
    return merged


def _save(data_dir: Path, document: dict[str, Any]) -> Path:
    """Write the document into the data directory, replacing an older one; returns the path."""
    path = data_dir / FILE_NAME
    draft = path.with_name(f"{FILE_NAME}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path


def load_document(path: Path) -> Any:
    """Read an export. Raises Misconfigured if there is none, or if it is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Misconfigured(f"{path} is no JSON document") from error


def _import(conn: Connection, document: dict[str, Any]) -> ImportResult:
    known_keys = set(conn.execute(select(RegulationKey.uid)).scalars())
    for key in document["keys"]:
        if key["uid"] not in known_keys:
            sealed = base64.b64decode(key["sealed"], validate=True)
            conn.execute(insert(RegulationKey).values(uid=key["uid"], sealed=sealed, created_at=key["created_at"]))
    ids = {row.uid: row.id for row in conn.execute(select(Regulation.uid, Regulation.id))}
    added = unknown = 0
    for found in document["regulations"]:
        store = find_store(conn, found["store"])
        identifiers = [(str(kind), str(digest)) for kind, digest in found["identifiers"]]
        if store is None:
            unknown += 1
        elif found["uid"] in ids:
            add_identifiers(conn, ids[found["uid"]], store.id, identifiers)
        else:
            names = ("uid", "person_id", "kind", "user_id", "at_destinations")
            values = {**{name: found[name] for name in names}, "store_id": store.id}
            add_regulation(conn, values, identifiers, found["created_at"])
            added += 1
    return ImportResult(added, len(document["regulations"]) - added - unknown, unknown)

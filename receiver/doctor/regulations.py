"""Checks that the ledger has every erasure: a restore of an older backup brings back the people, and loses the row."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from pipeline.core.errors import Misconfigured
from pipeline.ledger.regulations import list_regulations
from pipeline.regulations.apply import count_unapplied
from pipeline.regulations.transfer import FILE_NAME, is_export, list_missing, list_unsaved, load_document
from pipeline.settings import Settings
from receiver.doctor.database import query_ledger
from receiver.doctor.finding import Finding

NAME = "erasures"
_IMPORT_ADVICE = "Run `cratewire people regulations import`: until then the people they erased are there again."
_SAVE_ADVICE = "Run `cratewire people regulations save`: else a restore of an older backup would lose them."


def check_regulations(settings: Settings) -> Iterator[Finding]:
    """Compare the ledger with `regulations.json` in the data directory. Yields nothing if the database is away."""
    path = settings.data_dir / FILE_NAME
    document = None
    if path.exists():
        try:
            document = load_document(path)
        except Misconfigured as error:
            yield Finding(NAME, "wrong", str(error), f"Put a copy of {FILE_NAME} into its place, from a backup.")
            return
        if not is_export(document):
            yield Finding(NAME, "wrong", f"{path} is no export of regulations", "Put a copy from a backup there.")
            return
    found = query_ledger(settings, lambda conn: _compare(conn, document or {}))
    if found is not None:
        yield found


def _compare(conn: Connection, document: dict[str, object]) -> Finding:
    if missing := len(list_missing(conn, document)):
        says = f"{missing} are in {FILE_NAME} and not in the ledger, as after a restore of an older backup"
        return Finding(NAME, "wrong", says, _IMPORT_ADVICE)
    if unapplied := count_unapplied(conn):
        return Finding(NAME, "wrong", f"{unapplied} were imported and not applied", _IMPORT_ADVICE)
    if unsaved := len(list_unsaved(conn, document)):
        return Finding(NAME, "note", f"{unsaved} are not in {FILE_NAME} of this data directory", _SAVE_ADVICE)
    return Finding(NAME, "ok", f"{len(list_regulations(conn))}, all applied")

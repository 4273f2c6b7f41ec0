"""Saves the mapping of a connection, with a line in the log of who did what."""

from __future__ import annotations

from sqlalchemy import Connection

from pipeline.ledger.audit import About, Actor, record_store_action
from pipeline.ledger.connections import ConnectionRow, set_connection_mapping
from pipeline.mapping.rules import ConnectionMapping, format_mapping, parse_mapping


def save_mapping(conn: Connection, row: ConnectionRow, mapping: ConnectionMapping, actor: Actor, now: int) -> bool:
    """Save it; False if it is what is saved already."""
    text = format_mapping(mapping)
    if parse_mapping(text) == parse_mapping(row.mapping):
        return False
    set_connection_mapping(conn, row.id, text)
    about: About = {"connection": row.id, "events": len(mapping.events), "attributes": len(mapping.attributes)}
    record_store_action(conn, row.store_id, actor, "connection.mapping_changed", now, about)
    return True

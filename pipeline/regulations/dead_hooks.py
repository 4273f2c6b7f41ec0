"""Takes a person out of dead hooks: the bytes of hooks that could not become events."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection

from sqlalchemy import Connection, select, update

from pipeline.core.errors import BadHook
from pipeline.core.hooks import RawBody
from pipeline.decode import decode
from pipeline.events.catalogue import get_event_row
from pipeline.infra.compression import decompress
from pipeline.ledger.schema.core import DeadHook
from pipeline.redaction.body import ERASED, find_redaction
from pipeline.redaction.identity import Identity
from pipeline.redaction.raw_body import EMPTIED_KEY, redact_raw
from pipeline.regulations.mentions import names
from pipeline.regulations.people import FoundPerson


def empty_dead_hooks(conn: Connection, person: FoundPerson, dead_ids: Collection[int]) -> Counter[str]:
    """Replace what these hooks sent by what is another person's; returns how many were emptied or redacted.

    An emptied one cannot be replayed.
    """
    counts: Counter[str] = Counter()
    columns = (DeadHook.event, DeadHook.raw, DeadHook.query, DeadHook.detail)
    for dead_id in sorted(dead_ids):
        row = conn.execute(select(*columns).where(DeadHook.id == dead_id)).one()
        left = _redact(row.event, (decompress(row.raw), row.query), person.identity)
        values = {"raw": zlib.compress(left, 1), "query": None, "detail": {**row.detail, EMPTIED_KEY: ERASED}}
        if left:
            values["detail"] = {**row.detail, "redacted": ERASED}
        conn.execute(update(DeadHook).where(DeadHook.id == dead_id).values(values))
        counts["dead_hooks_redacted" if left else "dead_hooks_emptied"] += 1
    return counts


def _redact(event: str, raw: RawBody, who: Identity) -> bytes:
    """What is left; empty if it names no one else, or still names the person."""
    try:
        body = decode(*raw).body
    except BadHook:
        return b""
    redaction = find_redaction(get_event_row(event), body, who)
    if redaction is None or redaction.part == "whole":
        return b""
    left = redact_raw(raw, [redaction])
    return b"" if names(event, (left, None), redaction.who) else left

"""One run of a rehearsal: records hooks in a ledger of its own and says which messages that writes. Sends nothing.

It runs in a process of its own, which may be of another version of Cratewire, and answers each line of JSON on standard
input with one on standard output:

    {"do": "rows", "rows": {table: [row, …]}}           -> {}
    {"do": "configs", "configs": {connection: {…}}}     -> {}
    {"do": "hooks", "at": µs, "hooks": [HookLine, …]}   -> {"hooks": [[receipt, outcome], …], "messages": [Line, …]}
    {"do": "details", "ids": [id, …]}                   -> {"messages": [{"name", "data", "at", …}, …]}
"""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Engine, Row, select

from pipeline.core.hooks import Batch, DecodedHook, HookEnvelope, ValidHook, build_valid_hook
from pipeline.core.messages import Message, PersonRef
from pipeline.destinations import preview_message
from pipeline.inbox.entry import InboxEntry
from pipeline.ledger.engine import reading
from pipeline.ledger.schema import core
from pipeline.ledger.sql import json_type
from pipeline.mapping.rules import ConnectionMapping, apply_mapping, parse_mapping
from pipeline.processing.decode import decode_batch
from pipeline.processing.record import record
from pipeline.processing.release import RELEASE, get_running_version
from pipeline.processing.validate import validate_batch
from pipeline.rehearsal.scratch_ledger import create_scratch_ledger, insert_given_rows

PROTOCOL = 1
_TOKEN = 1  # nothing else records here
_DIGEST_BYTES = 16

Line = dict[str, Any]


class Side:
    """The state of a run: its ledger, and what was already said of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._configs: dict[int, Mapping[str, str]] = {}
        self._last_delivery = 0

    def answer(self, line: Line) -> Line:
        """Do what a line asks for. Raises KeyError if it is no such line."""
        return self._ANSWERS[line["do"]](self, line)

    def _insert(self, line: Line) -> Line:
        insert_given_rows(self._engine, line["rows"])
        return {}

    def _configure(self, line: Line) -> Line:
        self._configs = {int(number): config for number, config in line["configs"].items()}
        return {}

    def _run(self, line: Line) -> Line:
        hooks, now = line["hooks"], int(line["at"])
        entries = [_build_entry(hook) for hook in hooks if hook["data"] is None]
        batch = validate_batch(decode_batch(entries, _TOKEN, lambda: now), lambda: now)
        rebuilt = [_rebuild(hook, now) for hook in hooks if hook["data"] is not None]
        order = {hook["receipt"]: place for place, hook in enumerate(hooks)}
        in_order: list[ValidHook] = sorted([*batch["hooks"], *rebuilt], key=lambda hook: order[hook["receipt"]])
        whole: Batch = {**batch, "hooks": in_order}
        raws = {entry.entry_id: (entry.raw, entry.query) for entry in entries}
        outcomes: dict[str, str] = {}
        ids: dict[int, str] = {}
        for result in record(self._engine, whole, raws, lambda: now):
            outcomes |= {receipt: f"unreadable: {reason}" for receipt, reason in result.dead_reasons.items()}
            outcomes |= dict.fromkeys(result.repeats, "repeat")
            ids |= {event_id: receipt for receipt, event_id in result.ids.items()}
        outcomes |= self._read_outcomes(ids)
        return {"hooks": sorted(outcomes.items()), "messages": self._list_new_messages()}

    def _read_outcomes(self, ids: Mapping[int, str]) -> dict[str, str]:
        event = core.Event
        with reading(self._engine) as conn:
            rows = conn.execute(select(event.id, event.outcome).where(event.id.in_(ids)))
            return {ids[row.id]: row.outcome for row in rows}

    def _list_new_messages(self) -> list[Line]:
        rows = self._read_messages(core.Delivery.id > self._last_delivery)
        self._last_delivery = rows[-1].id if rows else self._last_delivery
        return [self._describe(row) for row in rows]

    def _describe(self, row: Row[Any]) -> Line:
        content = self._build_content(row)
        return {
            "id": row.id,
            "connection": row.connection_id,
            "person": _name_person(row),
            "kind": row.kind,
            "receipt": row.receipt or "",
            "event": row.event_name or "",
            "digest": compute_digest(content),
            "is_sendable": content["request"] is not None,
        }

    def _detail(self, line: Line) -> Line:
        rows = {row.id: row for row in self._read_messages(core.Delivery.id.in_(line["ids"]))}
        return {"messages": [self._build_content(rows[number]) for number in line["ids"]]}

    def _read_messages(self, *where: Any) -> Sequence[Row[Any]]:
        delivery, event, person = core.Delivery, core.Event, core.Person
        columns = delivery.id, delivery.connection_id, delivery.kind, delivery.name, delivery.message_id
        query = (
            select(*columns, delivery.message, delivery.person_id, delivery.event_id, delivery.created_at)
            .add_columns(event.receipt, event.name.label("event_name"), person.customer_id, person.email)
            .outerjoin(event, event.id == delivery.event_id)
            .join(person, person.id == delivery.person_id)
            .where(*where)
            .order_by(delivery.id)
        )
        with reading(self._engine) as conn:
            return conn.execute(query).all()

    def _build_content(self, row: Row[Any]) -> Line:
        """What the connection gets: the message with its mapping, and the request that would carry it."""
        platform, mapping = self._connections[row.connection_id]
        payload = row.message
        # Ids of rows differ between runs: a request that names one would always differ.
        message = Message(
            delivery_id=0,
            person=PersonRef(0, payload["customer_id"], payload["email"]),
            kind=row.kind,
            at=payload["at"],
            data=payload["data"],
            name=row.name,
            message_id=row.message_id,
            written_at=row.created_at,
        )
        sent = apply_mapping(mapping, message)
        request = preview_message(platform, sent, lambda: self._configs.get(row.connection_id, {}))
        return {
            "customer_id": payload["customer_id"],
            "email": payload["email"],
            "name": sent.name,
            "message_id": sent.message_id,
            "at": sent.at,
            "data": sent.data,
            "request": request and {"method": request.method, "url": request.url, "body": _read_body(request.body)},
        }

    @cached_property
    def _connections(self) -> Mapping[int, tuple[str, ConnectionMapping]]:
        table = core.StoreConnection.__table__.c
        with reading(self._engine) as conn:
            rows = conn.execute(select(table.id, table.platform, table.mapping))
            return {row.id: (row.platform, parse_mapping(row.mapping)) for row in rows}

    _ANSWERS: Mapping[str, Callable[[Side, Line], Line]] = {
        "rows": _insert,
        "configs": _configure,
        "hooks": _run,
        "details": _detail,
    }


def compute_digest(content: Mapping[str, Any]) -> str:
    """Return a hash of the content, the same in every process: the order of its keys may follow that of a set."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def serve(side: Side, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each line until there are no more."""
    for line in requests:
        answers.write(json_type.dumps(side.answer(json_type.loads(line))).encode() + b"\n")
        answers.flush()


def main(folder: Path) -> None:
    """Answer standard input. Whatever is logged goes to standard error, so that it is no answer."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    hello = {"protocol": PROTOCOL, "version": get_running_version(), "release": RELEASE}
    with tempfile.TemporaryDirectory(dir=folder) as own:
        engine = create_scratch_ledger(Path(own))
        answers.write(json.dumps(hello).encode() + b"\n")
        answers.flush()
        serve(Side(engine), sys.stdin.buffer, answers)
        engine.dispose()


def _build_entry(hook: Line) -> InboxEntry:
    names = HookEnvelope.__annotations__.keys() - {"entry_id"}
    values = {name: hook[name] for name in names}
    raw = base64.b64decode(hook["raw"])
    return InboxEntry(**values, raw=raw, query=hook["query"], entry_id=hook["receipt"])


def _rebuild(hook: Line, now: int) -> ValidHook:
    """A hook whose bytes are gone, from what its schema once made of it."""
    envelope = {name: hook[name] for name in HookEnvelope.__annotations__ if name != "entry_id"}
    known = {"form": hook["form"], "fingerprint": hook["fingerprint"]}
    read = DecodedHook(**envelope, **known, entry_id=hook["receipt"], decoded_at=now, body={})  # type: ignore[typeddict-item]
    return build_valid_hook(read, hook["data"], **known, decoded_at=now, validated_at=now)


def _name_person(row: Row[Any]) -> str:
    """By what both runs know a person, whatever the ids of their rows are."""
    return f"customer:{row.customer_id}" if row.customer_id is not None else f"email:{row.email}"


def _read_body(body: bytes) -> Any:
    try:
        return json_type.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

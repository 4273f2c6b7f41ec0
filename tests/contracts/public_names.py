"""Every name that outlives a process or that others rely on: `python -m tests.contracts.public_names` writes them anew.

An entry may be added. One that changes or goes breaks an upgrade with work queued, a stored row, a dashboard or a
script.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import click
from sqlalchemy import create_engine, inspect

from pipeline.core import hooks
from pipeline.events.catalogue import EVENTS
from pipeline.inbox.entry import RawHook, to_fields
from pipeline.inbox.spool.file import open_file
from pipeline.infra import redis_keys
from pipeline.infra.crypto import encryption, hook_tokens
from pipeline.infra.metrics import REGISTRY
from pipeline.ledger.migrations import migrate
from pipeline.monitoring.alert_webhook import build_signed_headers
from pipeline.settings import VARIABLES
from receiver.cli import main
from receiver.metrics.collect import GAUGES
from receiver.pages.auth.keys import derive_keys
from tasks.app import app
from tasks.worker.codec import encode_payload
from tests.documents.markdown import ROOT, get_code_names, get_section, parse_tables, read_document

PLACE = Path(__file__).with_suffix(".json")
PACKAGES = ("schemas", "pipeline", "tasks", "receiver")
A_KEY = "a secret key of no installation"
# Encrypted with A_KEY by an earlier version.
ENCRYPTED = (
    b"gAAAAABrDPNAYXHpZQKmTMIy7-NvqYspBxVl4nlmzfX33OhSlMS5g24ee5UwWQeh8Xn0V1CdpxlytzLd44zQqHKO7d"
    b"9R14tlbSQUcqbBSE0Ru0Zy0NnFGZYJUKP5AqlGhc8D4L6NrSpu"
)


def public_names() -> dict[str, Any]:
    """Area -> its names, in an order that does not depend on where the code stands."""
    return {
        "celery tasks": sorted(_task_names()),
        "redis keys": sorted(_redis_keys()),
        "stream fields": _stream_fields(),
        "batch keys": sorted(
            sorted(get_type_hints(row))
            for name, row in vars(hooks).items()
            if hasattr(row, "__required_keys__") and not name.startswith("_")
        ),
        "packed batches": [
            encode_payload({"hooks": []}).partition(":")[0],
            encode_payload({"hooks": [2**70]}).partition(":")[0],
        ],
        "spool columns": _spool_columns(),
        "ledger columns": _ledger_columns(),
        "states": sorted(_states()),
        "reasons and outcomes": _documented_codes(),
        "metrics": _metrics(),
        "commands": {" ".join(path): options for path, options in _commands(main, ())},
        "variables": sorted(row.name for row in VARIABLES.values()),
        "events": {name: sorted(map(str, row.identity)) for name, row in EVENTS.items()},
        "keys and signatures": _signatures(),
    }


def _task_names() -> Iterator[str]:
    for module in app.conf.include or app.include:
        importlib.import_module(module)
    yield from (name for name, found in app.tasks.items() if found.__module__.startswith("tasks."))


def _redis_keys() -> Iterator[str]:
    """Of every module, since a key may be made outside the one that lists them; what a format fills in is `{}`."""
    for room in PACKAGES:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from _find_strings(path, "cratewire:")
    yield redis_keys.INBOX_GROUP


def _find_strings(path: Path, beginning: str) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            text = node.value
        else:
            continue
        if re.fullmatch(rf"{beginning}\S+", text):
            yield text


def _stream_fields() -> list[str]:
    hook = RawHook("r", "acme", 1, "order_new", 2, b"{}", "a=b", "replay")
    fields = to_fields(hook)
    return [f"{name.decode()}={value.decode()}" for name, value in zip(fields[::2], fields[1::2], strict=True)]


def _spool_columns() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        database = open_file(Path(folder) / "hooks.db")
        rows = database.execute("PRAGMA table_info(hooks)").fetchall()
        database.close()
    return [row[1] for row in rows]


def _ledger_columns() -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ledger.db"
        migrate(url)
        engine = create_engine(url)
        seen = inspect(engine)
        columns = {
            table: [f"{column['name']} {column['type']}" for column in seen.get_columns(table)]
            for table in sorted(seen.get_table_names())
            if not table.startswith("sqlite_")
        }
        engine.dispose()
    return columns


def _states() -> Iterator[str]:
    """What a column, a batch or a document may say where it says one of several words."""
    seen = set()
    for path in (ROOT / "pipeline").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript) and getattr(node.value, "id", None) == "Literal":
                seen |= {word.value for word in ast.walk(node.slice) if isinstance(word, ast.Constant)}
            if isinstance(node, ast.keyword) and node.arg in {"status", "outcome", "phase", "mode", "reason", "kind"}:
                seen |= {node.value.value} if isinstance(node.value, ast.Constant) else set()
    yield from (word for word in seen if isinstance(word, str) and re.fullmatch(r"[a-z_]+", word))


def _documented_codes() -> dict[str, list[str]]:
    page = read_document("docs/operations.md")
    headings = {
        "What became of an event": "## Outcomes of an event",
        "Why a hook is dead": "## Why a hook is dead",
        "Why a delivery is dead": "## Why a delivery is dead",
    }
    return {
        kind: sorted(get_code_names(parse_tables(get_section(page, heading))[0])) for kind, heading in headings.items()
    }


def _metrics() -> dict[str, list[str]]:
    counted = {collector._name: list(collector._labelnames) for collector in REGISTRY._collector_to_names}
    return dict(sorted({**counted, **{name: list(labels) for name, (_, labels) in GAUGES.items()}}.items()))


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*path, name))
    else:
        yield path, sorted("/".join((*one.opts, *one.secondary_opts)) for one in command.params)


def _signatures() -> dict[str, str]:
    """What one key makes: other purposes or salts would make every hook URL and every saved secret worthless."""
    notice = build_signed_headers([A_KEY], "msg_1", b"{}", 1_000_000)
    return {
        "hook token": hook_tokens.sign([A_KEY], "acme", 3),
        "notice": notice["webhook-signature"],
        "authenticator apps": derive_keys([A_KEY], "authenticator apps")[0],
        "recovery codes": derive_keys([A_KEY], "recovery codes")[0],
        "invitations": derive_keys([A_KEY], "invitations")[0],
        "connection config": json.dumps(encryption.decrypt([A_KEY], ENCRYPTED)),
    }


if __name__ == "__main__":
    PLACE.write_text(json.dumps(public_names(), indent=1, ensure_ascii=False) + "\n", "utf-8")

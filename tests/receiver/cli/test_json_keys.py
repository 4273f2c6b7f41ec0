"""What --json prints is read by programs, so its keys stay. A new key is added to json_keys.json beside its command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.monitoring.alarms import open_alarm
from pipeline.ledger.monitoring.rows import NewAlarm
from pipeline.ledger.store_apis import save_store_api
from pipeline.ledger.stores import find_store, save_store
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.installation import make_hook, order_hook
from tests.pipeline.sandbox_store import StoreControl
from tests.receiver.cli.lanes import run_lanes

KNOWN: dict[str, list[str]] = json.loads(Path(__file__).with_name("json_keys.json").read_text("utf-8"))


@pytest.fixture
def busy(installed, track, monkeypatch):
    """A connected store with keys, an event that was sent, a dead hook, a backfill and an open alarm."""
    monkeypatch.setenv("CRATEWIRE_CRATEJOY_RATE", "1000")
    process = installed.process
    connection = installed.connect(track.config)
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        sealed = encrypt(process.settings.secret_keys, StoreControl(running).credentials().as_config())
        with writing(process.engine) as conn:
            save_store_api(conn, save_store(conn, "acme", process.now()).id, sealed, process.now())
            store = find_store(conn, "acme")
            assert store is not None
            open_alarm(conn, NewAlarm("silence", store.id, last_at=process.now(), expected_us=1), process.now())
        installed.record(order_hook(1), make_hook(b"{"))
        run_lanes(installed, connection)
        yield installed


def paths_of(document: Any, place: str = "") -> Iterator[str]:
    """Every key with the keys above it; the entries of a list have one place. What depends on the day stays out."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield f"{place}.{key}".lstrip(".")
            yield from paths_of(value, f"{place}.{key}")
    elif isinstance(document, list):
        for entry in document:
            yield from paths_of(entry, f"{place}[]")


@pytest.mark.parametrize("typed", KNOWN)
def test_every_key_a_program_may_read_is_still_there(typed, shell, busy):
    shell.run("backfill", "start", "--store", "acme")
    shell.run("hooks", "sync", "--store", "acme")
    document = json.loads(shell.run(*typed.split(), "--json").stdout)

    assert set(KNOWN[typed]) - set(paths_of(document)) == set()

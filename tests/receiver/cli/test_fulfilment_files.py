"""`cratewire fulfilment export|import|freeze|…`: a batch, a file out, and the labels back, against the sandbox."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.fulfilment.run import run_lane
from pipeline.fulfilment.schedule import PULL_LANES
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import writing
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import save_store
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.pipeline.sandbox_store import StoreControl

OF_STORE = ("--store", "acme")


@pytest.fixture
def typed(shell, installed, monkeypatch, tmp_path):
    """Runs `cratewire fulfilment …` for a live store whose warehouse is a spreadsheet, with one box that is ready."""
    monkeypatch.setenv("CRATEWIRE_CRATEJOY_RATE", "1000")
    monkeypatch.chdir(tmp_path)
    context = replace(installed.process, settings=replace(installed.process.settings, cratejoy_rate=1_000.0))
    with run_in_thread(Options("id", "secret", seed=7)) as running:
        shop = StoreControl(running)
        with writing(context.engine) as conn:
            store_id = save_store(conn, "acme", context.now()).id
            sealed = encrypt(context.settings.secret_keys, shop.credentials().as_config(), build_api_identity(store_id))
            save_store_api(conn, store_id, sealed, context.now())
        shop.control("sales", {"billing": "standard", "target": "2026-03-01T00:00:00Z"})

        def type_(name, *more):
            return shell.json("fulfilment", name, *OF_STORE, *more)

        settings = ("--set", "earliest_order_at=2026-01-01", "--set", "cooling_off_signup_s=0")
        type_("connect", "--warehouse", "spreadsheet", "--key", "preset=generic", *settings)
        for lane in PULL_LANES:
            run_lane(context, store_id, lane)
        type_("go-live", "--accept", "1")
        yield type_


def write_labels(*rows):
    path = Path("labels.csv")
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("Order ID", "Tracking Number"), *rows])
    return str(path)


def test_a_box_goes_out_in_a_file_and_its_tracking_comes_back(typed, shell):
    made = typed("export")
    path = Path(made["file"])
    (row,) = csv.DictReader(path.read_text("utf-8-sig").splitlines())
    assert (made["boxes"], path.name, path.stat().st_mode & 0o777) == (1, "acme-boxes-1.csv", 0o600)
    assert [(one["id"], one["boxes"]) for one in typed("exports")] == [(1, 1)]

    labels = write_labels((row["Reference"], "9400100000000000000123"))
    before, after, again = (typed("import", labels, *more) for more in ((), ("--apply",), ("--apply",)))
    assert ("applied" in before, before["rows"][0]["verdict"]) == (False, "match")
    assert [one["applied"]["written"] for one in (after, again)] == [1, 0]
    assert "1 there already" in shell.said("fulfilment", "import", labels, *OF_STORE)


def test_an_export_is_written_again_with_other_columns(typed, shell):
    typed("export")
    said = shell.said("fulfilment", "export", *OF_STORE, "--again", "1", "--columns", "pirate_ship", "--out", "a.csv")

    assert "export 1: 1 box in a.csv" in said
    assert Path("a.csv").read_text("utf-8-sig").startswith("Name,Company,")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (("--out", "boxes.pdf"), "name it .csv or .xlsx"),
        (("--out", "nowhere/boxes.csv"), "no such folder"),
        (("--columns", "Name = name"), "one must be the reference"),
        (("--again", "7"), "no export 7"),
    ],
)
def test_what_cannot_be_exported_is_explained_and_nothing_is_handed_out(typed, shell, more, complaint):
    assert complaint in shell.complaint("fulfilment", "export", *OF_STORE, *more)
    assert typed("exports") == []


def test_no_file_is_replaced(typed, shell):
    Path("acme-boxes-1.csv").write_text("mine")

    assert "--again 1" in shell.complaint("fulfilment", "export", *OF_STORE)
    assert Path("acme-boxes-1.csv").read_text() == "mine"


def test_a_batch_is_expected_frozen_shown_and_exported(typed, shell):
    (batch,) = typed("batches")
    number = str(batch["batch_id"])
    assert (batch["boxes"], batch["frozen_boxes"]) == (1, None)
    assert typed("forecast", number)["expected"]["total"] == {"low": 1, "likely": 1, "high": 1}

    (frozen,) = typed("freeze", number)
    assert [frozen] == typed("batch", number)
    assert typed("batches")[0]["frozen_boxes"] == 1
    assert frozen["manifest"]["digest"] in shell.said("fulfilment", "batch", number, *OF_STORE)
    assert "at most" in shell.said("fulfilment", "forecast", number, *OF_STORE)
    assert "give the number" in shell.complaint("fulfilment", "export", *OF_STORE, "--batch", "Gifts")
    assert typed("export", "--batch", number)["boxes"] == 1

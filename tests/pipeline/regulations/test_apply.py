"""After a restore of an older backup all regulations are applied again, and those it lost are imported."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import delete, select

from pipeline.core.errors import Misconfigured
from pipeline.infra.crypto.encryption import RowIdentity, reencrypt
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.regulations import ensure_hasher, list_regulations
from pipeline.ledger.schema import core
from pipeline.ledger.schema.regulations import Regulation, RegulationIdentifier, RegulationKey
from pipeline.regulations.apply import apply_regulations, count_unapplied
from pipeline.regulations.transfer import (
    FILE_NAME,
    export_regulations,
    import_regulations,
    list_missing,
    list_unsaved,
    load_document,
    save_regulations,
)
from tests.builders import BUYER, RECIPIENT, customer, gift_order, order, shipment
from tests.pipeline.ledger.rows import add_connection
from tests.pipeline.regulations.conftest import KEYS, Ledger

BEA_TEXTS = ("bea.buyer", "bea buyer", "'bea'", '"bea"')


@pytest.fixture
def database_url(migrated_sqlite, tmp_path):
    """SQLite alone: its file is copied and restored."""
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def backed_up(ledger, tmp_path):
    """A ledger, and a copy of it that was made before a person was erased."""
    ledger.record(
        ledger.hook("order_new", gift_order()),
        ledger.hook("shipment_shipped", shipment()),
        ledger.hook("order_new", order(id=7, is_test=True)),
        ledger.hook("order_new", b'{"email": "bea.buyer@example.com"'),
    )
    with (
        closing(sqlite3.connect(tmp_path / "ledger.db")) as live,
        closing(sqlite3.connect(tmp_path / "backup.db")) as copy,
    ):
        live.backup(copy)
    return ledger


@pytest.fixture
def restored(backed_up, tmp_path):
    """The older copy after the erasure, and the export of what it has lost."""
    backed_up.erase(BUYER["email"], suppress=True)
    with reading(backed_up.engine) as conn:
        document = json.loads(json.dumps(export_regulations(conn)))
    engine = make_engine(f"sqlite:///{tmp_path}/backup.db")
    older = Ledger.__new__(Ledger)
    older.__dict__ |= {**backed_up.__dict__, "engine": engine}
    older.eraser = type(backed_up.eraser)(engine, KEYS, backed_up.eraser.rng, older.now)
    yield older, document
    engine.dispose()


def test_a_restored_backup_has_the_person_until_the_regulations_are_applied(restored):
    older, document = restored
    assert any(word in older.stored_text() for word in BEA_TEXTS)
    before = older.counts()
    with writing(older.engine) as conn:
        import_regulations(conn, document)
        unapplied = count_unapplied(conn)
    applied = apply_regulations(older.eraser)

    assert [word for word in BEA_TEXTS if word in older.stored_text()] == []
    assert older.counts() == before
    assert (unapplied, applied.people, RECIPIENT in older.stored_text()) == (1, 1, True)
    with reading(older.engine) as conn:
        assert count_unapplied(conn) == 0


def test_the_restored_ledger_recognises_a_suppressed_person(restored):
    older, document = restored
    with writing(older.engine) as conn:
        import_regulations(conn, document)
    apply_regulations(older.eraser)
    older.record(older.hook("customer_new", customer()))

    assert [row.outcome for row in older.rows(core.Event)][-1] == "suppressed"


def test_applying_twice_changes_nothing(restored):
    older, document = restored
    with writing(older.engine) as conn:
        import_regulations(conn, document)
    apply_regulations(older.eraser)
    before = older.stored_text()

    assert (apply_regulations(older.eraser).emptied, older.stored_text()) == ({}, before)


def test_importing_twice_adds_nothing(restored):
    older, document = restored
    with writing(older.engine) as conn:
        missing = len(list_missing(conn, document))
        counts = [import_regulations(conn, document) for _ in range(2)]
        left = list_missing(conn, document)

    assert (missing, [(one.added, one.known) for one in counts], left) == (1, [(1, 0), (0, 1)], [])


def test_one_that_does_not_suppress_leaves_a_person_who_came_back(backed_up):
    backed_up.erase(BUYER["email"])
    backed_up.record(backed_up.hook("order_new", order(id=555)))
    with writing(backed_up.engine) as conn:  # they came back after they were erased
        conn.execute(core.Person.__table__.update().values(created_at=backed_up.now() + 1))
    applied = apply_regulations(backed_up.eraser)

    assert (applied.people, BUYER["email"] in backed_up.stored_text()) == (0, True)


def test_a_regulation_of_another_key_recognises_its_person(backed_up):
    """A restored ledger has made a key of its own before the older regulations were imported."""
    backed_up.erase(BUYER["email"], suppress=True)
    with writing(backed_up.engine) as conn:
        document = export_regulations(conn)
        for model in (RegulationIdentifier, Regulation, RegulationKey):
            conn.execute(delete(model))
    backed_up.erase("stranger@example.com", suppress=True)
    with writing(backed_up.engine) as conn:
        import_regulations(conn, document)
    backed_up.record(
        backed_up.hook("customer_new", customer()),
        backed_up.hook("customer_new", customer(id=3, email="stranger@example.com")),
    )

    assert [row.outcome for row in backed_up.rows(core.Event)][-2:] == ["suppressed"] * 2


def test_sealing_again_changes_no_hash(backed_up):
    backed_up.erase(BUYER["email"], suppress=True)
    rotated = ("a-new-key", *KEYS)
    with writing(backed_up.engine) as conn:
        row = conn.execute(RegulationKey.__table__.select()).one()
        conn.execute(
            RegulationKey.__table__.update().values(
                sealed=reencrypt(rotated, row.sealed, RowIdentity("regulation_keys", row.uid))
            )
        )
    eraser = type(backed_up.eraser)(backed_up.engine, rotated[:1], backed_up.eraser.rng, backed_up.now)

    assert apply_regulations(eraser).regulations == 1


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, "no export"),
        ([], "no export"),
        ({"format": "cratewire-regulations", "version": 2}, "version 2"),
        ({"format": "cratewire-regulations", "version": 1, "keys": [{}], "regulations": []}, "damaged"),
    ],
)
def test_another_document_is_refused(ledger, document, says):
    with writing(ledger.engine) as conn, pytest.raises(Misconfigured, match=says):
        import_regulations(conn, document)


def test_the_file_in_the_data_directory_has_all_regulations(backed_up, tmp_path):
    backed_up.erase(BUYER["email"])
    path = save_regulations(backed_up.engine, tmp_path)
    with reading(backed_up.engine) as conn:
        assert load_document(path) == export_regulations(conn)
        assert [row.uid for row in list_regulations(conn)] == [load_document(path)["regulations"][0]["uid"]]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_no_export_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("{")
    for path in (tmp_path / "x.json", tmp_path / "missing.json"):
        with pytest.raises(Misconfigured, match=path.name):
            load_document(path)


def test_an_erasure_between_a_restore_and_the_import_keeps_the_older_ones_in_the_file(restored, tmp_path):
    older, document = restored
    (tmp_path / FILE_NAME).write_text(json.dumps(document))
    older.erase("stranger@example.com", suppress=True)

    saved = load_document(save_regulations(older.engine, tmp_path))

    assert saved["regulations"][0]["uid"] == document["regulations"][0]["uid"]
    assert (len(saved["regulations"]), len(saved["keys"])) == (2, 2)
    with reading(older.engine) as conn:
        assert (len(list_missing(conn, saved)), list_unsaved(conn, saved)) == (1, [])


def test_a_damaged_file_is_kept_under_another_name(backed_up, tmp_path):
    (tmp_path / FILE_NAME).write_text("{")
    backed_up.erase(BUYER["email"])
    save_regulations(backed_up.engine, tmp_path)

    assert (tmp_path / f"{FILE_NAME}.damaged").read_text() == "{"


def test_regulations_of_removed_stores_are_not_missing(backed_up):
    backed_up.erase(BUYER["email"])
    with reading(backed_up.engine) as conn:
        document = export_regulations(conn)
        document["regulations"] = [{**found, "uid": "x", "store": "removed"} for found in document["regulations"]]

        assert list_missing(conn, document) == []


def test_a_restored_person_is_to_be_forgotten_at_the_platforms_again(restored):
    older, document = restored
    with writing(older.engine) as conn:
        store_id = conn.execute(select(core.Store.id)).scalar_one()
        link = add_connection(conn, store_id)
        document["regulations"] = [{**found, "at_destinations": True} for found in document["regulations"]]
        import_regulations(conn, document)
    for _ in range(2):
        apply_regulations(older.eraser)

    [asked] = [row.message["data"] for row in older.rows(core.Delivery) if row.kind == "forget"]
    assert (asked["mode"], BUYER["email"] in asked["emails"], link.platform) == ("suppress", True, "customerio")


def test_what_no_persons_row_leads_to_is_emptied_too(backed_up, tmp_path):
    """A dead hook and a test order of a person whom the store never knew otherwise."""
    sam = "sam.stranger@example.com"
    backed_up.record(
        backed_up.hook("order_new", f'{{"email": "{sam}'.encode()),
        backed_up.hook("order_new", order(id=70, is_test=True, customer=customer(id=70, email=sam), customer_id=70)),
    )
    with writing(backed_up.engine) as conn:
        document = export_regulations(conn)
    document["regulations"] = [_build_regulation(backed_up, sam)]
    with writing(backed_up.engine) as conn:
        document["keys"] = export_regulations(conn)["keys"]
        import_regulations(conn, document)
    before = backed_up.counts()
    applied = apply_regulations(backed_up.eraser)

    assert (sam in backed_up.stored_text(), backed_up.counts() == before) == (False, True)
    assert applied.emptied == {"bodies_emptied": 1, "dead_hooks_emptied": 1, "events_emptied": 1}


def _build_regulation(ledger, email):
    """A regulation of a person whom another ledger has erased, with the hash that it would have."""
    with writing(ledger.engine) as conn:
        hasher = ensure_hasher(conn, KEYS, b"k" * 32, "key", 1)
    row = {
        "uid": "u",
        "store": "acme",
        "person_id": None,
        "kind": "suppress",
        "user_id": None,
        "at_destinations": False,
    }
    return {**row, "created_at": 1, "identifiers": [["email", hasher.hash_new("acme", "email", email)]]}

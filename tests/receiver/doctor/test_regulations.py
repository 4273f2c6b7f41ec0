"""The doctor's finding about erasures that a restore of an older backup has lost."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import delete

from pipeline.ledger.engine import writing
from pipeline.ledger.schema.regulations import Regulation, RegulationIdentifier
from pipeline.regulations.transfer import FILE_NAME
from receiver.cli import main
from receiver.doctor.regulations import check_regulations
from tests.installation import order_hook

BEA = "bea.buyer@example.com"


@pytest.fixture(autouse=True)
def erased(installed):
    """A store whose buyer was erased."""
    installed.connect({})
    installed.record(order_hook(1))
    run("people", "erase", BEA, "--store", "acme", "--yes")


def run(*command):
    assert CliRunner().invoke(main, command).exit_code == 0


def look(installed):
    [finding] = check_regulations(installed.process.settings)
    return finding


def restore_older_backup(installed):
    """What a restore from before the erasure does to the regulations."""
    with writing(installed.process.engine) as conn:
        for model in (RegulationIdentifier, Regulation):
            conn.execute(delete(model))


def test_with_every_erasure_in_the_ledger_all_is_well(installed):
    assert (look(installed).state, look(installed).says) == ("ok", "1, all applied")


def test_a_restore_of_an_older_backup_is_reported_until_the_erasures_are_applied(installed):
    restore_older_backup(installed)

    found = look(installed)
    assert (found.state, found.says) == (
        "wrong",
        "1 are in regulations.json and not in the ledger, as after a restore of an older backup",
    )
    assert "`cratewire people regulations import`" in found.advice
    run("people", "regulations", "import")

    assert look(installed).state == "ok"


def test_an_erasure_between_a_restore_and_the_import_does_not_hide_it(installed):
    restore_older_backup(installed)
    installed.record(order_hook(2, "vera@example.com", 7002))
    run("people", "erase", "vera@example.com", "--store", "acme", "--yes")

    assert look(installed).state == "wrong"


def test_imported_and_not_applied_is_reported(installed):
    with writing(installed.process.engine) as conn:
        conn.execute(Regulation.__table__.update().values(applied_at=None))

    assert look(installed).says == "1 were imported and not applied"


def test_a_data_directory_without_the_file_is_noted_until_it_is_saved(installed):
    (installed.data / FILE_NAME).unlink()

    found = look(installed)
    assert (found.state, found.says) == ("note", "1 are not in regulations.json of this data directory")
    run("people", "regulations", "save")

    assert look(installed).state == "ok"


@pytest.mark.parametrize("content", ["{", json.dumps([])])
def test_a_damaged_file_is_wrong(installed, content):
    (installed.data / FILE_NAME).write_text(content)

    assert look(installed).state == "wrong"

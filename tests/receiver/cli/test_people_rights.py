"""`cratewire people export`, `erase` and `regulations`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from pipeline.ledger.schema import core
from pipeline.ledger.schema.regulations import Regulation
from receiver.cli import main
from tests.installation import order_hook

BEA = "bea.buyer@example.com"


@pytest.fixture(autouse=True)
def recorded(installed):
    installed.connect({})
    installed.record(order_hook(1), order_hook(2), order_hook(3, "vera@example.com", 7002))


def answer(*answers, to=("people", "erase", BEA, "--store", "acme")):
    return CliRunner().invoke(main, to, input="".join(f"{line}\n" for line in answers))


def test_an_export_is_one_document_on_stdout(shell):
    document = json.loads(shell.said("people", "export", " BEA.Buyer@example.com ", "--store", "acme"))

    assert (document["format"], document["person"]["email"], len(document["events"])) == ("cratewire-person", BEA, 2)


def test_an_erasure_asks_twice_and_says_what_it_empties(shell, installed):
    result = answer("y", BEA)

    assert result.exit_code == 0
    assert "2 events, 4 messages" in result.stderr
    assert "Erased (regulation 1)" in result.stdout
    assert BEA not in [row.email for row in installed.rows(core.Person)]


@pytest.mark.parametrize(("answers", "code"), [(("n",), 1), (("y", "vera@example.com"), 1), ((), 1)])
def test_another_answer_erases_nothing(installed, answers, code):
    result = answer(*answers)

    assert (result.exit_code, installed.rows(Regulation)) == (code, [])
    assert BEA in [row.email for row in installed.rows(core.Person)]


def test_a_script_is_not_asked_and_reads_json(shell):
    document = shell.json("people", "erase", "7001", "--store", "acme", "--yes", "--suppress")

    assert (document["regulation"], document["person"], document["files_are_clean"]) == (1, 1, True)
    assert document["emptied"]["events_emptied"] == 2


@pytest.mark.parametrize("command", ["export", "erase"])
def test_an_unknown_store_is_reported(shell, command):
    says = "Error: no store nowhere: see `cratewire stores list`\n"

    assert shell.complaint("people", command, BEA, "--store", "nowhere") == says


def test_a_person_of_another_store_is_not_exported(shell, installed):
    installed.connect({}, store="other")

    assert "no person" in shell.complaint("people", "export", BEA, "--store", "other")


def test_regulations_are_listed_without_names(shell):
    assert shell.said("people", "regulations", "list") == "No person was erased.\n"
    shell.json("people", "erase", BEA, "--store", "acme", "--yes", "--at-destinations")
    (found,) = shell.json("people", "regulations", "list")

    assert [(place["platform"], place["state"]) for place in found["destinations"]] == [("customerio", "open")]
    assert BEA not in json.dumps(found)
    assert "Customer.io: waiting" in shell.said("people", "regulations", "list")


def test_an_export_of_regulations_can_be_imported_again(shell, installed, tmp_path):
    shell.json("people", "erase", BEA, "--store", "acme", "--yes")
    exported = shell.said("people", "regulations", "export")
    (tmp_path / "saved.json").write_text(exported)

    assert json.loads((installed.data / "regulations.json").read_text()) == json.loads(exported)
    assert "0 added, 1 known" in shell.said("people", "regulations", "import", str(tmp_path / "saved.json"))

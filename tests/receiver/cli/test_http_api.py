"""An HTTP API that a document describes, on the command line."""

from __future__ import annotations

import pytest

from pipeline.infra.crypto.encryption import decrypt
from pipeline.ledger.connections import list_all_connections
from pipeline.ledger.engine import reading
from pipeline.ledger.schema import core
from tests.contracts.http_kits import KEY, running_api


@pytest.fixture
def api():
    with running_api() as kit:
        yield kit


@pytest.fixture
def file(tmp_path, api):
    path = tmp_path / "api.toml"
    path.write_text(api.config()["config"], encoding="utf-8")
    return path


@pytest.fixture
def typed(api, file):
    keys = ("--hook-url", api.url, "--api-key", KEY)
    return ("connect", "--store", "acme", "--platform", "http", "--config", str(file), *keys)


def config_of(installed):
    with reading(installed.process.engine) as conn:
        [row] = list_all_connections(conn)
    return decrypt(installed.process.settings.secret_keys, row.config, row.identity)


def test_a_document_is_read_from_its_file_and_saved_with_its_rate(shell, installed, typed, api):
    assert shell.json(*typed)["connection"] == 1

    saved = config_of(installed)
    assert saved.items() >= {**api.config(), "account": ""}.items()
    assert saved["calls_per_second"] == "100"


def test_a_wrong_expression_is_named_with_its_place_and_nothing_is_saved(shell, installed, typed, file):
    file.write_text(file.read_text(encoding="utf-8").replace('"person.email"', '"persn.email"', 1), encoding="utf-8")

    complaint = " ".join(shell.complaint(*typed).split())

    assert "profile.body.email: undeclared reference to 'persn.email', at character 6" in complaint
    assert installed.rows(core.StoreConnection) == []


def test_a_file_that_is_not_there_is_named(shell, installed, typed, file):
    file.unlink()

    assert "api.toml" in shell.complaint(*typed, code=2)


def test_a_file_that_is_no_text_is_refused(shell, installed, typed, file):
    file.write_bytes(b"\xff\xfe\x00")

    assert "is not a text in UTF-8" in shell.complaint(*typed, code=2)


def test_another_document_needs_the_keys_again(shell, installed, typed, file):
    shell.json(*typed)
    file.write_text(file.read_text(encoding="utf-8").replace("= 100", "= 50"), encoding="utf-8")
    change = ("connections", "change-key", "--store", "acme", "--config", str(file))

    assert "enter API key and Hook's address too" in shell.complaint(*change)
    shell.said(*change, *typed[-4:])
    assert config_of(installed)["calls_per_second"] == "50"


def test_the_help_of_an_option_says_what_it_is_for_each_platform(shell):
    text = " ".join(shell.said("connect", "--help").split())

    assert "Customer.io: The API key beside that Site ID." in text
    assert "Any HTTP API: Several with a space between them" in text

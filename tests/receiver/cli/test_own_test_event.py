"""`cratewire events test`: only to an own address, and only after a yes."""

from __future__ import annotations

import pytest

from pipeline.ledger.accounts import NewUser, add_member, add_user
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.stores import find_store

TEST = ("events", "test", "--store", "acme", "--wait", "0")


@pytest.fixture
def member(installed):
    installed.connect({})
    with writing(installed.process.engine) as conn:
        store = find_store(conn, "acme")
        user_id = add_user(conn, NewUser("bea@example.com", "hash", "id", confirmed=True), installed.process.now())
        assert store is not None
        assert user_id is not None
        add_member(conn, store.account_id, user_id, "owner", installed.process.now())


def test_it_is_sent_to_a_member_after_a_yes(shell, installed, member):
    document = shell.json(*TEST, "--to", "bea@example.com", "--yes")

    assert (document["event"]["name"], document["event"]["is_test"]) == ("cratewire_test", True)
    assert {row.message["email"] for row in installed.rows(core.Delivery)} == {"bea@example.com"}


def test_it_says_how_far_it_is(shell, member):
    assert "Event 1: waits for customerio." in shell.said(*TEST, "--to", "bea@example.com", "--yes")


@pytest.mark.parametrize("typed", [("--to", "bea@example.com"), ("--to", "stranger@example.com", "--yes")])
def test_nothing_is_sent_without_a_yes_or_to_a_stranger(shell, installed, member, typed):
    assert shell.run(*TEST, *typed).exit_code == 1
    assert installed.rows(core.Delivery) == []

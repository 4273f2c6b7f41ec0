"""`cratewire stores`, and how titles are shown by the other commands."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from pipeline.ledger.schema import core
from pipeline.ledger.schema.removals import StoreRemoval
from receiver.cli import main


@pytest.fixture
def acme(installed):
    installed.connect({})


def typed(text, *command):
    """The result of a command at whose question a text is typed."""
    return CliRunner().invoke(main, command, input=text, catch_exceptions=False)


def test_stores_are_listed(shell, acme):
    (row,) = shell.json("stores", "list")

    assert (row["store"], row["title"], row["account"], row["removal"]) == ("acme", None, "default", None)
    assert "acme" in shell.said("stores", "list")


def test_an_installation_without_stores_says_how_to_connect_one(shell, installed):
    assert "cratewire connect" in shell.said("stores", "list")


def test_a_store_is_shown_with_its_connection_and_counts(shell, acme):
    document = shell.json("stores", "show", "acme")

    assert (document["currency"], document["events"], document["sent"]) == ("USD", 0, 0)
    assert "connection:      customerio to account 1: active" in shell.said("stores", "show", "acme")


@pytest.mark.parametrize("command", [("show",), ("rename",), ("remove", "--yes")])
def test_an_unknown_store_is_reported(shell, installed, command):
    assert "no store typo" in shell.complaint("stores", *command, "typo")


def test_a_title_is_shown_beside_the_name_that_commands_take(shell, acme):
    assert shell.said("stores", "rename", "acme", " Acme  Coffee ") == "acme is shown as Acme Coffee.\n"
    assert "Acme Coffee (acme)" in shell.said("status")


def test_without_a_title_the_name_is_shown_again(shell, acme):
    shell.said("stores", "rename", "acme", "Acme Coffee")

    assert shell.said("stores", "rename", "acme") == "acme is shown as acme.\n"


@pytest.mark.parametrize("title", ["x" * 81, "a\u200eb"])
def test_an_unusable_title_is_refused(shell, acme, title):
    assert "at most 80 characters" in shell.complaint("stores", "rename", "acme", title)


def test_a_connection_has_a_title_of_its_own(shell, acme):
    rename = ("connections", "rename", "--store", "acme", "--title", "Newsletter")

    assert shell.said(*rename) == "acme to customerio is shown as Newsletter.\n"
    assert "Newsletter" in shell.said("status")


def test_a_store_is_removed_when_its_name_was_typed(acme, installed):
    result = typed("acme\n", "stores", "remove", "acme", "--leave-hooks")

    assert (result.exit_code, installed.rows(core.Store)) == (0, [])


@pytest.mark.parametrize("text", ["acm\n", "\n", ""])
def test_any_other_text_removes_nothing(acme, installed, text):
    result = typed(text, "stores", "remove", "acme", "--leave-hooks")

    assert result.exit_code == 1
    assert len(installed.rows(core.Store)) == 1


def test_a_script_need_not_type_the_name(shell, acme, installed):
    document = shell.json("stores", "remove", "acme", "--yes", "--leave-hooks")

    assert (document["removed"], installed.rows(core.StoreConnection)) == (True, [])


def test_hooks_that_cannot_be_removed_at_cratejoy_keep_the_store(shell, acme, installed):
    result = CliRunner().invoke(main, ("stores", "remove", "acme", "--yes"), catch_exceptions=False)

    assert result.exit_code == 1
    assert "hooks for: address_updated, billing_updated" in result.stderr
    assert "--leave-hooks" in result.stderr
    assert len(installed.rows(core.Store)) == 1
    assert installed.rows(StoreRemoval) == []


def test_what_a_store_forwards_is_set_and_shown(shell, acme):
    shell.said("stores", "set", "acme", "--marketplace-source", "2", "--storefront-source", "1")
    document = shell.json("stores", "set", "acme", "--marketplace", "profile-without-address")

    assert (document["marketplace"], document["marketplace_by"]) == (
        "profile_without_address",
        "the operator on the command line",
    )
    assert (document["marketplace_sources"], document["storefront_sources"]) == (["2"], ["1"])
    assert "no mail address is sent, set by the operator" in shell.said("stores", "show", "acme")


def test_a_value_moves_to_the_list_that_is_named_last(shell, acme):
    shell.said("stores", "set", "acme", "--marketplace-source", "2")
    document = shell.json("stores", "set", "acme", "--storefront-source", "2")

    assert (document["marketplace_sources"], document["storefront_sources"]) == ([], ["2"])


def test_gift_recipients_may_be_withheld(shell, acme):
    assert shell.json("stores", "set", "acme", "--gift-recipients", "withhold")["gift_recipients"] == "withhold"


@pytest.mark.parametrize(("text", "policy"), [("they agreed\n", "forward"), ("yes\n", "withhold"), ("", "withhold")])
def test_forwarding_is_confirmed_in_so_many_words(acme, installed, text, policy):
    typed(text, "stores", "set", "acme", "--marketplace", "forward")

    assert installed.rows(core.Store)[0].marketplace_policy == policy


def test_a_script_confirms_with_an_option(shell, acme):
    document = shell.json("stores", "set", "acme", "--marketplace", "forward", "--consent-confirmed")

    assert document["marketplace"] == "forward"

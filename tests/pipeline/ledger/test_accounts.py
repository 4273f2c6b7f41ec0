"""Accounts in the ledger: their members, and that the last owner cannot be removed."""

from __future__ import annotations

import pytest

from pipeline.core.errors import Misconfigured
from pipeline.ledger import accounts
from pipeline.ledger.accounts import NewUser
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Account
from pipeline.ledger.stores import save_store
from tests.builders import NOW


@pytest.fixture
def conn(engine):
    with writing(engine) as conn:
        yield conn


def user(conn, email):
    return accounts.add_user(conn, NewUser(email, "hash", f"id of {email}"), NOW)


def test_an_address_is_one_user(conn):
    first = user(conn, "Bea@example.com")

    again = accounts.add_user(conn, NewUser("bea@EXAMPLE.com", "hash", "another"), NOW)

    assert (again, accounts.find_user(conn, "BEA@example.com")) == (None, first)


def test_a_store_is_visible_to_members_of_its_account_only(conn):
    bea, eve = user(conn, "bea@example.com"), user(conn, "eve@example.com")
    account = accounts.create_account(conn, NOW)
    accounts.add_member(conn, account, bea, "owner", NOW)
    name = conn.execute(Account.__table__.select().where(Account.id == account)).one().name
    save_store(conn, "acme", NOW, account=name)

    assert [store.name for store in accounts.list_visible_stores(conn, bea)] == ["acme"]
    assert accounts.list_visible_stores(conn, eve) == []


def test_a_member_who_joins_again_gets_the_new_role(conn):
    bea, account = user(conn, "bea@example.com"), accounts.create_account(conn, NOW)
    accounts.add_member(conn, account, bea, "reader", NOW)
    accounts.add_member(conn, account, bea, "owner", NOW)

    assert accounts.get_roles(conn, bea) == {account: "owner"}


def test_the_last_owner_cannot_be_removed_but_readers_can(conn):
    bea, robin, account = (
        user(conn, "bea@example.com"),
        user(conn, "robin@example.com"),
        accounts.create_account(conn, NOW),
    )
    accounts.add_member(conn, account, bea, "owner", NOW)
    accounts.add_member(conn, account, robin, "reader", NOW)
    accounts.remove_member(conn, account, robin)

    with pytest.raises(Misconfigured):
        accounts.remove_member(conn, account, bea)

    assert [member.user_id for member in accounts.list_members(conn, account)] == [bea]


def test_accounts_created_on_the_pages_are_not_the_command_lines(conn):
    save_store(conn, "acme", NOW)

    assert accounts.create_account(conn, NOW) != accounts.find_account(conn, "default")


def test_a_role_is_changed_but_not_that_of_the_last_owner(conn):
    bea, robin = user(conn, "bea@example.com"), user(conn, "robin@example.com")
    account = accounts.create_account(conn, NOW)
    accounts.add_member(conn, account, bea, "owner", NOW)
    accounts.add_member(conn, account, robin, "reader", NOW)

    assert accounts.change_role(conn, account, robin, "operator")
    with pytest.raises(Misconfigured, match="at least one owner"):
        accounts.change_role(conn, account, bea, "reader")
    assert not accounts.change_role(conn, account, 99, "reader")

    assert [member.role for member in accounts.list_members(conn, account)] == ["owner", "operator"]

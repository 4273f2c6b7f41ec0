"""Accounts in the ledger: who is in them, and that they never lose their last owner."""

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
def db(engine):
    with writing(engine) as conn:
        yield conn


def user(db, email):
    return accounts.add_user(db, NewUser(email, "hash", f"id of {email}"), NOW)


def test_an_address_is_one_user(db):
    first = user(db, "Bea@example.com")

    again = accounts.add_user(db, NewUser("bea@EXAMPLE.com", "hash", "another"), NOW)

    assert (again, accounts.find_user(db, "BEA@example.com")) == (None, first)


def test_a_store_is_seen_by_the_members_of_its_account_alone(db):
    bea, eve = user(db, "bea@example.com"), user(db, "eve@example.com")
    account = accounts.create_account(db, NOW)
    accounts.add_member(db, account, bea, "owner", NOW)
    name = db.execute(Account.__table__.select().where(Account.id == account)).one().name
    save_store(db, "acme", NOW, account=name)

    assert [store.name for store in accounts.list_visible_stores(db, bea)] == ["acme"]
    assert accounts.list_visible_stores(db, eve) == []


def test_whoever_joins_again_gets_the_new_role(db):
    bea, account = user(db, "bea@example.com"), accounts.create_account(db, NOW)
    accounts.add_member(db, account, bea, "reader", NOW)
    accounts.add_member(db, account, bea, "owner", NOW)

    assert accounts.get_roles(db, bea) == {account: "owner"}


def test_the_last_owner_stays_while_readers_may_go(db):
    bea, robin, account = user(db, "bea@example.com"), user(db, "robin@example.com"), accounts.create_account(db, NOW)
    accounts.add_member(db, account, bea, "owner", NOW)
    accounts.add_member(db, account, robin, "reader", NOW)
    accounts.remove_member(db, account, robin)

    with pytest.raises(Misconfigured):
        accounts.remove_member(db, account, bea)

    assert [member.user_id for member in accounts.list_members(db, account)] == [bea]


def test_accounts_made_on_the_web_are_strangers_to_the_one_of_the_command_line(db):
    save_store(db, "acme", NOW)

    assert accounts.create_account(db, NOW) != accounts.find_account(db, "default")

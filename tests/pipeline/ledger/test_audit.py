"""The audit log: who did what, by ids only."""

from __future__ import annotations

from itertools import pairwise

import pytest
from sqlalchemy import delete

from pipeline.core.roles import ALLOWED, PERMISSIONS, ROLES
from pipeline.ledger import accounts
from pipeline.ledger.accounts import NewUser
from pipeline.ledger.audit import COMMAND_LINE_ACTOR, MAX_IDS, Actor, record_action
from pipeline.ledger.engine import writing
from pipeline.ledger.queries.audit import list_actions
from pipeline.ledger.removals import delete_empty_account
from pipeline.ledger.schema.core import Account, Store
from pipeline.ledger.stores import save_store
from tests.builders import NOW


@pytest.fixture
def conn(engine):
    with writing(engine) as conn:
        yield conn


@pytest.fixture
def acme(conn):
    return save_store(conn, "acme", NOW)


def record(conn, store, actor=COMMAND_LINE_ACTOR, action="person.erased", **about):
    at = {"account_id": store.account_id, "store_id": store.id, "at": NOW}
    return record_action(conn, actor=actor, action=action, about=about, **at)


def test_an_action_says_who_did_what_to_which_store(conn, acme):
    bea = accounts.add_user(conn, NewUser("bea@example.com", "hash", "bea"), NOW)
    record(conn, acme, Actor("page", bea), person=12, messages=64, kinds=["event", "profile"])

    [row] = list_actions(conn, [acme.account_id])

    assert (row.who, row.says, row.store) == ("bea@example.com", "erased a person", "acme")
    assert row.about == {"person": 12, "messages": 64, "kinds": ["event", "profile"]}


def test_a_command_a_token_and_a_removed_user_are_named(conn, acme):
    bea = accounts.add_user(conn, NewUser("bea@example.com", "hash", "bea"), NOW)
    for actor in (COMMAND_LINE_ACTOR, Actor("api", bea, 7), Actor("page", 99)):
        record(conn, acme, actor)

    named = [row.who for row in list_actions(conn, None)]

    assert named == ["a user who was removed", "bea@example.com, token 7", "the command line"]


def test_the_log_is_read_in_pages_newest_first(conn, acme):
    ids = [record(conn, acme) for _ in range(3)]

    first = list_actions(conn, [acme.account_id], limit=2)
    second = list_actions(conn, [acme.account_id], before=first[-1].id, limit=2)

    assert [row.id for row in (*first, *second)] == ids[::-1]


def test_another_account_sees_nothing_of_it(conn, acme):
    record(conn, acme)

    assert list_actions(conn, [accounts.create_account(conn, NOW)]) == []


@pytest.mark.parametrize("value", ["bea@example.com", "Bea Buyer", "", 1.5, {"name": 1}, ["x y"], range(MAX_IDS + 1)])
def test_what_could_be_personal_data_is_refused(conn, acme, value):
    with pytest.raises((ValueError, TypeError)):
        record(conn, acme, what=value)


def test_an_unknown_action_is_refused(conn, acme):
    with pytest.raises(ValueError, match="no action"):
        record(conn, acme, action="person.admired")


def test_a_log_stays_when_its_store_goes_and_goes_with_its_account(conn, acme):
    record(conn, acme)
    conn.execute(delete(Store))
    [row] = list_actions(conn, None)

    assert (row.store, row.store_id) == (None, acme.id)
    assert delete_empty_account(conn, acme.account_id)
    assert list_actions(conn, None) == []
    assert conn.execute(Account.__table__.select()).all() == []


def test_a_role_that_may_more_may_all_that_a_lesser_one_may():
    allowed = [ALLOWED[role] for role in ROLES]

    assert allowed[0] == set(PERMISSIONS)
    assert all(lesser < greater for greater, lesser in pairwise(allowed))

"""Failures of log-ins, counted for each network, on both databases."""

from __future__ import annotations

import pytest

from pipeline.ledger.accounts import NewUser, add_user
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.log_ins import (
    LockoutLimits,
    NewLogIn,
    begin_log_in,
    clear_failed_log_ins,
    is_locked,
    record_failed_log_in,
)
from tests.builders import NOW

LIMITS = LockoutLimits(per_network=3, from_all_networks=5, lock_us=60)


@pytest.fixture
def bea(engine):
    with writing(engine) as db:
        return add_user(db, NewUser("bea@example.com", "hash", "unique", confirmed=True), NOW)


def fail(engine, user, network, times=1):
    with writing(engine) as db:
        return [record_failed_log_in(db, user, network, LIMITS, NOW) for _ in range(times)]


def locked(engine, user, network, now=NOW):
    with reading(engine) as db:
        return is_locked(db, user, network, now)


def test_failures_lock_a_network_at_the_last_one_and_start_anew(engine, bea):
    assert fail(engine, bea, "one", 4) == [False, False, True, False]
    assert (locked(engine, bea, "one"), locked(engine, bea, "two")) == (True, False)
    assert not locked(engine, bea, "one", NOW + 60)


def test_failures_of_all_networks_lock_those_in_which_the_user_is_not_logged_in(engine, bea):
    with writing(engine) as db:
        begin_log_in(db, NewLogIn("token", bea, "unique", "home"), NOW)
    for number in range(5):
        fail(engine, bea, f"network {number}")

    assert [locked(engine, bea, network) for network in ("elsewhere", "", "home")] == [True, True, False]


def test_a_log_in_forgets_the_failures_of_its_own_network_only(engine, bea):
    fail(engine, bea, "one", 3)
    fail(engine, bea, "two", 3)
    with writing(engine) as db:
        clear_failed_log_ins(db, bea, "one")

    assert (locked(engine, bea, "one"), locked(engine, bea, "two")) == (False, True)


def test_a_new_password_forgets_all(engine, bea):
    fail(engine, bea, "one", 3)
    with writing(engine) as db:
        clear_failed_log_ins(db, bea)

    assert not locked(engine, bea, "one")

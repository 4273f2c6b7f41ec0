"""Failed log-ins, counted for each network, on both databases."""

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
    with writing(engine) as conn:
        return add_user(conn, NewUser("bea@example.com", "hash", "unique", confirmed=True), NOW)


def fail(engine, user, network, times=1):
    with writing(engine) as conn:
        return [record_failed_log_in(conn, user, network, LIMITS, NOW) for _ in range(times)]


def locked(engine, user, network, now=NOW):
    with reading(engine) as conn:
        return is_locked(conn, user, network, now)


def test_failures_lock_a_network_at_the_limit_and_are_counted_anew(engine, bea):
    assert fail(engine, bea, "one", 4) == [False, False, True, False]
    assert (locked(engine, bea, "one"), locked(engine, bea, "two")) == (True, False)
    assert not locked(engine, bea, "one", NOW + 60)


def test_failures_of_all_networks_lock_networks_without_a_log_in(engine, bea):
    with writing(engine) as conn:
        begin_log_in(conn, NewLogIn("token", bea, "unique", "home"), NOW)
    for number in range(5):
        fail(engine, bea, f"network {number}")

    assert [locked(engine, bea, network) for network in ("elsewhere", "", "home")] == [True, True, False]


def test_a_log_in_clears_the_failures_of_its_own_network_only(engine, bea):
    fail(engine, bea, "one", 3)
    fail(engine, bea, "two", 3)
    with writing(engine) as conn:
        clear_failed_log_ins(conn, bea, "one")

    assert (locked(engine, bea, "one"), locked(engine, bea, "two")) == (False, True)


def test_a_new_password_clears_all_failures(engine, bea):
    fail(engine, bea, "one", 3)
    with writing(engine) as conn:
        clear_failed_log_ins(conn, bea)

    assert not locked(engine, bea, "one")

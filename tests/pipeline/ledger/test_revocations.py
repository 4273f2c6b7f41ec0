"""Which hook addresses were replaced, as one process knows it."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from pipeline.ledger.engine import writing
from pipeline.ledger.revocations import REFRESH_INTERVAL_S, RevocationCache, TokenVersion
from pipeline.ledger.stores import rotate_token, save_store
from tests.builders import NOW

HOUR = 3_600_000_000


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def known(engine, clock):
    return RevocationCache(engine, clock)


def rotated(engine, old_until=None):
    with writing(engine) as db:
        rotate_token(db, save_store(db, "acme", NOW).id, old_until)


def test_before_a_look_nothing_is_revoked(engine, known):
    rotated(engine)

    assert not known.is_revoked("acme", 1, NOW)


def test_a_look_learns_of_a_rotation(engine, known):
    rotated(engine)
    known.look()

    assert known.is_revoked("acme", 1, NOW)
    assert not known.is_revoked("acme", 2, NOW)


def test_a_store_that_is_not_known_has_nothing_revoked(engine, known):
    rotated(engine)
    known.look()

    assert not known.is_revoked("other", 1, NOW)


def test_the_ledger_is_not_asked_again_at_once(engine, known, clock):
    known.look()
    rotated(engine)
    known.look()
    before = known.is_revoked("acme", 1, NOW)
    clock.now += REFRESH_INTERVAL_S
    known.look()

    assert (before, known.is_revoked("acme", 1, NOW)) == (False, True)


def test_a_database_that_is_away_restores_nothing(engine, clock, tmp_path):
    rotated(engine)
    known = RevocationCache(engine, clock)
    known.look()
    known._engine = create_engine(f"sqlite:///{tmp_path}/nowhere/ledger.db")
    clock.now += REFRESH_INTERVAL_S
    known.look()
    known._engine.dispose()

    assert known.is_revoked("acme", 1, NOW)


@pytest.mark.parametrize(
    ("version", "late", "revoked"), [(3, 0, False), (2, 0, False), (1, -1, False), (1, 0, True), (0, -1, True)]
)
def test_the_addresses_before_a_rotation_hold_until_their_time(version, late, revoked):
    assert TokenVersion(2, NOW + HOUR).has_revoked(version, NOW + HOUR + late) == revoked

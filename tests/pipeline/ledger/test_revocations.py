"""The revoked hook URLs that one process knows."""

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
    with writing(engine) as conn:
        rotate_token(conn, save_store(conn, "acme", NOW).id, old_until)


def test_before_the_first_refresh_nothing_is_revoked(engine, known):
    rotated(engine)

    assert not known.is_revoked("acme", 1, NOW)


def test_a_refresh_finds_a_rotation(engine, known):
    rotated(engine)
    known.refresh_if_due()

    assert known.is_revoked("acme", 1, NOW)
    assert not known.is_revoked("acme", 2, NOW)


def test_an_unknown_store_has_nothing_revoked(engine, known):
    rotated(engine)
    known.refresh_if_due()

    assert not known.is_revoked("other", 1, NOW)


def test_the_ledger_is_not_queried_again_at_once(engine, known, clock):
    known.refresh_if_due()
    rotated(engine)
    known.refresh_if_due()
    before = known.is_revoked("acme", 1, NOW)
    clock.now += REFRESH_INTERVAL_S
    known.refresh_if_due()

    assert (before, known.is_revoked("acme", 1, NOW)) == (False, True)


def test_an_unavailable_database_restores_nothing(engine, clock, tmp_path):
    rotated(engine)
    known = RevocationCache(engine, clock)
    known.refresh_if_due()
    known._engine = create_engine(f"sqlite:///{tmp_path}/nowhere/ledger.db")
    clock.now += REFRESH_INTERVAL_S
    known.refresh_if_due()
    known._engine.dispose()

    assert known.is_revoked("acme", 1, NOW)


@pytest.mark.parametrize(
    ("version", "late", "revoked"), [(3, 0, False), (2, 0, False), (1, -1, False), (1, 0, True), (0, -1, True)]
)
def test_the_urls_before_a_rotation_are_valid_until_their_time(version, late, revoked):
    assert TokenVersion(2, NOW + HOUR).has_revoked(version, NOW + HOUR + late) == revoked

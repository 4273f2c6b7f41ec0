"""Refused Cratejoy keys: since when, and what is cleared once they have worked."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from pipeline.ledger.backfills import insert_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliations import create_missing_reconciliations
from pipeline.ledger.schema.backfills import Backfill
from pipeline.ledger.schema.reconciliation import Reconciliation
from pipeline.ledger.store_apis import (
    find_store_api,
    record_api_success,
    record_audit,
    record_key_check,
    save_store_api,
)
from tests.pipeline.ledger.rows import NOW

REFUSED = "Cratejoy refused the Client ID and Secret (401)"
HOUR = 3_600_000_000


@pytest.fixture
def refused(shop):
    """A store whose keys were refused to the audit, to the comparison and to the backfill."""
    store_id = shop.store.id
    with writing(shop.engine) as conn:
        save_store_api(conn, store_id, b"sealed", NOW)
        create_missing_reconciliations(conn, ["orders"], 0, NOW)
        insert_backfill(conn, store_id, "all", "counting", NOW)
        record_audit(conn, store_id, NOW, NOW + HOUR, REFUSED)
        conn.execute(update(Reconciliation).values(error=REFUSED, next_at=NOW + HOUR))
        conn.execute(update(Backfill).values(error=REFUSED, next_step_at=NOW + HOUR, attempts=3))
        record_key_check(conn, store_id, REFUSED, NOW)
    return shop


def api(shop):
    with reading(shop.engine) as conn:
        return find_store_api(conn, shop.store.id)


def test_a_repeated_refusal_keeps_its_time(refused):
    with writing(refused.engine) as conn:
        record_key_check(conn, refused.store.id, REFUSED, NOW + HOUR)

    assert (api(refused).status, api(refused).checked_at) == ("refused", NOW)


def test_a_success_clears_a_refusal_everywhere(refused):
    with writing(refused.engine) as conn:
        record_api_success(conn, refused.store.id, NOW + 1)
    with reading(refused.engine) as conn:
        compared = conn.execute(select(Reconciliation.error, Reconciliation.next_at)).one()
        filled = conn.execute(select(Backfill.error, Backfill.next_step_at, Backfill.attempts)).one()

    found = api(refused)
    assert (found.status, found.status_reason, found.audit_error) == ("active", None, None)
    assert (tuple(compared), tuple(filled)) == ((None, NOW + 1), (None, NOW + 1, 0))


def test_a_success_without_a_refusal_makes_nothing_due(refused):
    with writing(refused.engine) as conn:
        record_api_success(conn, refused.store.id, NOW + 1)
        conn.execute(update(Reconciliation).values(error="answered 500", next_at=NOW + HOUR))
        record_api_success(conn, refused.store.id, NOW + 2)
    with reading(refused.engine) as conn:
        compared = conn.execute(select(Reconciliation.error, Reconciliation.next_at)).one()

    assert tuple(compared) == ("answered 500", NOW + HOUR)

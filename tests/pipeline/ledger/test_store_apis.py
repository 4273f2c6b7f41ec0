"""Keys of Cratejoy that were refused: since when, and what is no longer said once they have worked."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from pipeline.ledger.backfill_tables import Backfill
from pipeline.ledger.backfills import open_backfill
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.reconciliation_tables import Reconciliation
from pipeline.ledger.reconciliations import begin_new
from pipeline.ledger.store_apis import find_api, note_api, note_audit, note_success, save_api
from tests.pipeline.ledger.rows import NOW

REFUSED = "Cratejoy refused the Client ID and Secret (401)"
HOUR = 3_600_000_000


@pytest.fixture
def refused(shop):
    """A store whose keys were refused to the audit, to the comparison and to the backfill."""
    store_id = shop.store.id
    with writing(shop.engine) as db:
        save_api(db, store_id, b"sealed", NOW)
        begin_new(db, ["orders"], 0, NOW)
        open_backfill(db, store_id, "all", "counting", NOW)
        note_audit(db, store_id, NOW, NOW + HOUR, REFUSED)
        db.execute(update(Reconciliation).values(error=REFUSED, next_at=NOW + HOUR))
        db.execute(update(Backfill).values(error=REFUSED, next_step_at=NOW + HOUR, attempts=3))
        note_api(db, store_id, REFUSED, NOW)
    return shop


def api(shop):
    with reading(shop.engine) as db:
        return find_api(db, shop.store.id)


def test_a_refusal_keeps_its_age_however_often_it_is_repeated(refused):
    with writing(refused.engine) as db:
        note_api(db, refused.store.id, REFUSED, NOW + HOUR)

    assert (api(refused).status, api(refused).checked_at) == ("refused", NOW)


def test_one_success_takes_a_refusal_back_everywhere(refused):
    with writing(refused.engine) as db:
        note_success(db, refused.store.id, NOW + 1)
    with reading(refused.engine) as db:
        compared = db.execute(select(Reconciliation.error, Reconciliation.next_at)).one()
        filled = db.execute(select(Backfill.error, Backfill.next_step_at, Backfill.attempts)).one()

    found = api(refused)
    assert (found.status, found.status_reason, found.audit_error) == ("active", None, None)
    assert (tuple(compared), tuple(filled)) == ((None, NOW + 1), (None, NOW + 1, 0))


def test_a_success_without_a_refusal_hurries_nothing(refused):
    with writing(refused.engine) as db:
        note_success(db, refused.store.id, NOW + 1)
        db.execute(update(Reconciliation).values(error="answered 500", next_at=NOW + HOUR))
        note_success(db, refused.store.id, NOW + 2)
    with reading(refused.engine) as db:
        compared = db.execute(select(Reconciliation.error, Reconciliation.next_at)).one()

    assert tuple(compared) == ("answered 500", NOW + HOUR)

"""What is tried before an alarm, and what the alarm says about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pipeline.cratejoy.credentials import Credentials
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import list_findings, mark_fixed, record_fix_failure, replace_findings
from pipeline.ledger.monitoring.canaries import list_newest_canaries
from pipeline.ledger.observation import MISSED, RECEIVED, Observation
from pipeline.ledger.observed_events import save_observations
from pipeline.ledger.reconciliations import create_missing_reconciliations, load_reconciliations, update_reconciliation
from pipeline.ledger.schema.core import DeadHook
from pipeline.ledger.schema.monitoring import Heartbeat
from pipeline.ledger.store_apis import find_store_api, record_audit, record_key_check, save_store_api
from pipeline.monitoring.diagnostics import DIAGNOSTIC_CHECKS, DiagnosticCheck, collect_diagnostics, start_diagnostics
from tests.pipeline.monitoring.conftest import KEYS
from tests.pipeline.monitoring.hook_histories import DAY

MISSING = {"kind": "missing", "event": "order_new", "hook_id": None, "host": None, "remedy": "create"}
FOREIGN = {"kind": "foreign", "event": "order_new", "hook_id": 7, "host": "example.net", "remedy": None}


@dataclass
class Silent:
    """A store that has just been found silent, with keys for Cratejoy."""

    shops: object
    store_id: int
    asked: list = field(default_factory=list)

    def audit(self, *found):
        """The hooks are looked at, and this is found."""
        with writing(self.shops.engine) as conn:
            api = find_store_api(conn, self.store_id)
            replace_findings(conn, self.store_id, found, self.shops.clock, api.audit_at)

    def said(self, minutes=1.0):
        """What was tried, so many minutes later; nothing as long as it is not over."""
        self.shops.sweep(hours=minutes / 60)
        [alarm] = self.shops.alarms()
        return list(alarm.tried)

    def about(self, word, **how):
        return [sentence for sentence in self.said(**how) if word in sentence]


@pytest.fixture
def silent(shops):
    store_id = shops.store()
    with writing(shops.engine) as conn:
        config = Credentials("id", "secret", "http://127.0.0.1/v1/").as_config()
        save_store_api(conn, store_id, encrypt(KEYS, config), shops.clock)
    shops.sweep()
    shops.sweep(hours=DAY)
    return Silent(shops, store_id)


def test_an_audit_of_the_hooks_is_asked_for_at_once(silent):
    with reading(silent.shops.engine) as conn:
        api = find_store_api(conn, silent.store_id)

    assert (api.audit_at, api.audited_at) == (silent.shops.clock, None)


def test_no_one_is_notified_before_the_audit_has_come_to_its_end(silent):
    before = silent.said()
    silent.audit()

    assert before == []
    assert "The hooks registered at Cratejoy are as they should be." in silent.said()


def test_what_the_audit_mended_is_reported(silent):
    silent.audit(MISSING, FOREIGN)
    waiting = silent.said()
    with writing(silent.shops.engine) as conn:
        mark_fixed(conn, list_findings(conn, silent.store_id)[0].id, silent.shops.clock, 12)

    assert waiting == []
    assert silent.about("at Cratejoy") == [
        "Of the hooks registered at Cratejoy 1 were wrong, and were fixed: no hook is registered for this event."
    ]


def test_what_could_not_be_mended_is_reported(silent):
    silent.audit(MISSING)
    with writing(silent.shops.engine) as conn:
        record_fix_failure(conn, list_findings(conn, silent.store_id)[0].id, "answered 400")

    assert silent.about("at Cratejoy") == ["Of the hooks registered at Cratejoy 1 could not be fixed."]


def test_keys_that_are_refused_are_reported(silent):
    with writing(silent.shops.engine) as conn:
        record_key_check(conn, silent.store_id, "the keys were refused (401)", silent.shops.clock)

    assert "the keys were refused (401)." in silent.about("at Cratejoy")[0]


def test_an_audit_that_fails_is_reported(silent):
    with writing(silent.shops.engine) as conn:
        record_audit(conn, silent.store_id, silent.shops.clock, silent.shops.clock, "answered 500")

    assert silent.about("at Cratejoy") == ["The hooks registered at Cratejoy could not be checked: answered 500."]


def test_an_audit_that_takes_too_long_keeps_no_one_from_being_notified(silent):
    assert silent.about("at Cratejoy", minutes=11) == [
        "No result from the hooks registered at Cratejoy within ten minutes."
    ]


def test_a_canary_of_the_store_proves_the_way_in(shops):
    shops.canary_seconds = 300.0
    store_id = shops.store()
    shops.store("moon", events=())
    shops.answer(shops.sweep())
    shops.answer(shops.sweep(hours=DAY))
    with reading(shops.engine) as conn:
        [sent] = list_newest_canaries(conn, 1, store_id)
    shops.sweep(hours=1 / 60)

    [alarm] = shops.alarms()
    assert sent.wanted_at == alarm.since
    assert any("was in the ledger 0.0 s later" in sentence for sentence in alarm.tried)


def test_a_canary_that_was_lost_is_reported_with_the_reason(shops):
    shops.canary_seconds = 300.0
    shops.store()
    shops.answer(shops.sweep())
    shops.answer(shops.sweep(hours=DAY), "answered 502")
    shops.sweep(hours=1 / 60)

    [alarm] = shops.alarms()
    assert any("did not come back: answered 502." in sentence for sentence in alarm.tried)


@pytest.fixture
def compared(silent):
    """The hooks are as they should be, and the store's API is compared with them now and then."""
    silent.audit()
    with writing(silent.shops.engine) as conn:
        create_missing_reconciliations(conn, ["orders"], 0, silent.shops.clock)
    return silent


def finish(silent, *states, error=None):
    """A pass ends, having found happenings in these states."""
    with writing(silent.shops.engine) as conn:
        [row] = load_reconciliations(conn, silent.store_id)
        update_reconciliation(conn, row, done_at=None if error else silent.shops.clock, error=error)
        found = [Observation(f"order_new:{number}", "order_new", 1, state) for number, state in enumerate(states)]
        save_observations(conn, silent.store_id, found, silent.shops.clock)


def test_no_one_is_notified_before_the_store_was_asked_what_it_did(compared):
    assert compared.said() == []


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("states", "says"),
    [
        ((RECEIVED,), "Cratejoy's API shows no event since then that a hook should have reported"),
        ((RECEIVED, MISSED, MISSED), "Cratejoy's API shows 2 events since then that no hook reported."),
    ],
)
def test_what_the_store_did_meanwhile_is_reported(compared, states, says):
    finish(compared, *states)

    assert len(compared.about(says)) == 1


def test_a_store_that_cannot_be_asked_is_reported(compared):
    finish(compared, error="answered 500")

    assert compared.about("meanwhile") == ["What the store did meanwhile could not be looked up: answered 500."]


def test_the_store_is_asked_at_once(shops):
    store_id = shops.store()
    with writing(shops.engine) as conn:
        save_store_api(conn, store_id, b"", shops.clock)
        create_missing_reconciliations(conn, ["orders"], 90 * DAY * 3_600_000_000, shops.clock)
    shops.sweep(hours=DAY)

    with reading(shops.engine) as conn:
        assert [row.next_at for row in load_reconciliations(conn, store_id)] == [shops.clock]


@pytest.mark.on_both_databases
@pytest.mark.parametrize(
    ("seconds", "ago", "says"),
    [
        (0.0, 5, "CRATEWIRE_HEARTBEAT_SECONDS is 0"),
        (10.0, 5, "Hooks that arrive become events."),
        (10.0, 500, "Hooks that arrive do not become events now."),
    ],
)
def test_whether_the_chain_lives_is_reported(silent, seconds, ago, says):
    silent.shops.heartbeat_seconds = seconds
    silent.audit()
    arrived = silent.shops.clock + 60_000_000 - ago * 1_000_000
    with writing(silent.shops.engine) as conn:
        conn.execute(Heartbeat.__table__.insert().values(name="chain", sent_at=arrived, arrived_at=arrived))

    assert len(silent.about(says)) == 1


@pytest.mark.on_both_databases
def test_hooks_that_come_and_die_are_reported(silent):
    silent.audit()
    dead = {"store": "acme", "version": 1, "event": "order_new", "stage": "decode", "reason": "not_json", "raw": b""}
    with writing(silent.shops.engine) as conn:
        at = {"received_at": silent.shops.clock, "died_at": silent.shops.clock}
        conn.execute(DeadHook.__table__.insert().values(**dead, **at, receipt="r", detail={}))

    assert len(silent.about("1 hook arrived and could not be read")) == 1


def test_a_further_attempt_can_be_added(silent):
    begun = []
    mine = DiagnosticCheck(
        "a search of the API", lambda _, case: f"Of {case.store} 3 were missed.", lambda *_: begun.append(1)
    )
    silent.audit()
    with writing(silent.shops.engine) as conn:
        start_diagnostics(conn, silent.shops.context, silent.store_id, silent.shops.clock, (mine,))
        collect_diagnostics(conn, silent.shops.context, silent.shops.clock, (*DIAGNOSTIC_CHECKS, mine))

    [alarm] = silent.shops.alarms()
    assert (begun, alarm.tried[-1]) == ([1], "Of acme 3 were missed.")

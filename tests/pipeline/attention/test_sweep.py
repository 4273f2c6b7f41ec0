"""Who looks while no sweep does, and to whom the operator's concerns are written."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from pipeline.attention.alarm_sync import sync_alarms
from pipeline.attention.item import AttentionItem, Cause
from pipeline.attention.sweep import sweep, sweep_as_fallback
from pipeline.ledger.deliveries import pause_connection
from pipeline.ledger.engine import writing
from pipeline.ledger.schema.core import Account, Store
from tests.pipeline.attention.conftest import LEDGER_CAUSES, OWNER
from tests.pipeline.ledger.rows import NOW


def instead(attention):
    return sweep_as_fallback(attention.context, LEDGER_CAUSES)


def test_while_sweeps_look_there_is_nothing_to_do_instead(attention):
    attention.sweep()

    assert (instead(attention), attention.letters()) == (False, [])


@pytest.mark.on_both_databases
def test_while_no_sweep_looks_one_web_process_does_and_notifies(attention):
    sweep(attention.context, ())
    with writing(attention.engine) as conn:
        pause_connection(conn, attention.link.id, "the credentials were refused (401)", attention.clock)
    attention.clock += 200_000_000

    looked = [instead(attention), instead(attention)]
    assert (looked, [recipient for recipient, _, _ in attention.letters()]) == ([True, False], [OWNER])


def test_what_only_an_operator_can_mend_is_written_to_the_operator(attention):
    attention.set(operator_mail=("oncall@example.com",))
    sync_alarms(
        attention.context,
        [Cause("x", lambda _: [AttentionItem("x", "x", "operator", "Full", "It is full.", "Make room.", NOW)])],
    )
    attention.sweep()

    assert [(recipient, subject) for recipient, subject, _ in attention.letters()] == [
        ("oncall@example.com", "Full since 16:46 UTC")
    ]


def test_a_store_whose_account_has_no_owner_is_the_operators_concern(attention):
    attention.set(operator_mail=("oncall@example.com",))
    with writing(attention.engine) as conn:
        account = conn.execute(insert(Account).values(name="moons", created_at=NOW).returning(Account.id)).scalar_one()
        made = insert(Store).values(account_id=account, name="moon", forward_also=[], created_at=NOW)
        store_id = conn.execute(made.returning(Store.id)).scalar_one()
    item = AttentionItem("x", "moon", "merchant", "moon: x", "It is x.", "Do x.", NOW, "moon", store_id)
    sync_alarms(attention.context, [Cause("x", lambda _: [item])])
    attention.sweep()

    assert [recipient for recipient, _, _ in attention.letters()] == ["oncall@example.com"]

"""What a button of the attention list does is done with its entry in the audit log, or not at all."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.attention.actions import perform
from pipeline.core.errors import Misconfigured
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.monitoring.alarms import list_open_alarms, open_alarm
from pipeline.ledger.monitoring.canaries import list_unsent_canaries
from pipeline.ledger.monitoring.rows import SILENCE, NewAlarm
from pipeline.ledger.schema.audit import AuditEntry


def look_for_hooks(attention):
    """Press the button of a silent store that was connected without keys of Cratejoy."""
    with writing(attention.engine) as conn:
        open_alarm(conn, NewAlarm(SILENCE, attention.store.id, last_at=attention.clock), attention.clock)
        [alarm] = list_open_alarms(conn)
    return perform(attention.context, "look_for_hooks", alarm, COMMAND_LINE_ACTOR)


def written(attention):
    """How many test hooks are to be sent, and the buttons in the audit log."""
    with reading(attention.engine) as conn:
        entries = [row.about["button"] for row in conn.execute(select(AuditEntry.about))]
        return len(list_unsent_canaries(conn)), entries


def test_what_can_be_done_without_cratejoys_keys_is_done_and_in_the_audit_log(attention):
    attention.set(canary_seconds=300.0)

    assert "A test hook is sent" in look_for_hooks(attention)
    assert written(attention) == (1, ["look_for_hooks"])


def test_what_cannot_be_done_leaves_nothing(attention):
    attention.set(canary_seconds=0.0)

    with pytest.raises(Misconfigured, match="look in the shop"):
        look_for_hooks(attention)
    assert written(attention) == (0, [])

"""What people decide about boxes, and what it leaves behind."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pipeline.core.errors import Misconfigured
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.fulfilment.orders import change_order
from pipeline.ledger.schema.audit import AuditEntry
from tests.pipeline.fulfilment.bridge import DAY


def test_nothing_is_tried_again_in_dry_run_since_it_would_only_be_counted(make_bridge):
    bridge = make_bridge()
    shipment = bridge.sold(billing="adhoc", target=bridge.iso(-DAY), is_paid=False)["shipment_ids"][0]
    bridge.settle()

    with pytest.raises(Misconfigured, match="dry run"):
        bridge.requests().decide(f"SUB-{shipment}", "retry")
    assert "retry" not in bridge.requests().list_choices(bridge.box(shipment), is_newest=True)
    assert (bridge.state(shipment), bridge.report().would_go) == ("held(unpaid)", 0)


def test_a_notice_that_a_person_has_seen_is_in_the_audit_log(bridge):
    shipment = bridge.sell()
    bridge.search()
    with writing(bridge.engine) as conn:
        change_order(conn, bridge.box(shipment), bridge.clock(), notice="no_tracking", notice_at=1)
    bridge.requests().dismiss_notice(f"SUB-{shipment}")

    with reading(bridge.engine) as conn:
        actions = list(conn.execute(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(1)).scalars())
    assert (actions, bridge.box(shipment).notice_at) == (["box.dismiss_notice"], None)
    with pytest.raises(Misconfigured, match="no notice"):
        bridge.requests().dismiss_notice(f"SUB-{shipment}")

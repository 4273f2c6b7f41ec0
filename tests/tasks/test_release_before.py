"""A batch that workers of the release before have left in the broker is gone on with."""

from __future__ import annotations

import pytest

from bench.chaos.faults.upgrade import LAST_LINKS
from bench.chaos.release_before import leave_batch_in_broker, unpack_release_before
from pipeline.inbox import stream
from pipeline.ledger.schema import core
from tasks.chain import LINKS
from tests.installation import make_hook, order_hook
from tests.tasks.inline_worker import run_all


@pytest.mark.slow
@pytest.mark.parametrize("last_link", LAST_LINKS.values())
def test_a_batch_that_the_release_before_left_in_the_broker_is_recorded(installed, tmp_path, last_link):
    code = unpack_release_before(tmp_path)
    if code is None:
        pytest.skip("a checkout without history")
    installed.connect({})
    installed.receive(order_hook(1), make_hook(b"{"), order_hook(2))

    assert leave_batch_in_broker(code, {**installed.environment, "PYTHONPATH": str(code)}, last_link)
    assert installed.rows(core.Event) == []
    assert run_all("hooks")[0] == LINKS[[name for name, _ in LINKS].index(last_link) + 1][0]
    assert [row.subject_id for row in installed.rows(core.Event)] == [1, 2]
    assert [row.reason for row in installed.rows(core.DeadHook)] == ["not_json"]
    assert stream.depth(installed.process.redis) == 0

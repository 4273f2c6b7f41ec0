from __future__ import annotations

from pipeline.inbox.poison import MAX_TRIES
from pipeline.processing.decode import decode_batch
from pipeline.processing.failures import quarantine
from tests.pipeline.processing.entries import clock, entry


def test_quarantined_hooks_join_the_failed_with_their_tries():
    batch = decode_batch([entry(number=1), entry(b"{", number=2)], 7, clock)

    found = quarantine(batch, [entry(number=3)])

    assert [hook["receipt"] for hook in found["hooks"]] == ["r1"]
    assert [(hook["receipt"], hook["reason"]) for hook in found["failed"]][-1] == ("r3", "poison")
    assert found["failed"][-1]["detail"] == {"tries": MAX_TRIES}
    assert found["token"] == 7


def test_a_batch_without_poison_stays_as_it_is():
    batch = decode_batch([entry()], 7, clock)

    assert quarantine(batch, []) == batch

from __future__ import annotations

import pytest

from pipeline.processing.decode import decode_batch
from tests.pipeline.decode.wire_forms import FORMS
from tests.pipeline.processing.entries import ORDER, clock, entry


def decoded(*entries):
    return decode_batch(entries, 7, clock)


@pytest.mark.parametrize("form", FORMS)
def test_a_body_is_read_in_every_form_and_the_form_is_noted(form):
    (hook,) = decoded(entry(FORMS[form](ORDER)))["hooks"]

    assert (hook["form"], hook["body"]) == (form, ORDER)


def test_a_fingerprint_is_the_same_in_every_form():
    found = decoded(*(entry(write(ORDER)) for write in FORMS.values()))

    assert len({hook["fingerprint"] for hook in found["hooks"]}) == 1


def test_a_hook_keeps_its_envelope():
    (hook,) = decoded(entry(number=3, source="replay", version=2))["hooks"]

    assert (hook["entry_id"], hook["receipt"], hook["source"], hook["version"]) == ("3-0", "r3", "replay", 2)


def test_raw_bodies_stay_in_the_inbox():
    (hook,) = decoded(entry())["hooks"]

    assert not {"raw", "query"} & hook.keys()


def test_an_unreadable_hook_fails_with_its_reason_and_the_others_keep_their_order():
    found = decoded(entry(number=1), entry(b"", number=2), entry(b"[1", number=3), entry(number=4))

    assert [hook["receipt"] for hook in found["hooks"]] == ["r1", "r4"]
    assert [(hook["receipt"], hook["stage"]) for hook in found["failed"]] == [("r2", "decode"), ("r3", "decode")]
    assert len({hook["reason"] for hook in found["failed"]} - {"internal_error"}) == 2


def test_a_hook_to_a_revoked_url_is_not_decoded():
    found = decode_batch([entry(b"no JSON", number=1), entry(number=2)], 7, clock, lambda found: found.receipt == "r1")

    assert [(hook["receipt"], hook["reason"]) for hook in found["failed"]] == [("r1", "token_revoked")]
    assert [hook["receipt"] for hook in found["hooks"]] == ["r2"]


def test_the_batch_carries_the_token_of_the_lease():
    assert decoded()["token"] == 7


def test_an_internal_error_costs_one_hook_and_quotes_nothing():
    broken = entry(number=2, raw=b"{}")
    object.__setattr__(broken, "raw", "marian@example.com")

    found = decoded(entry(number=1), broken, entry(number=3))

    assert [hook["receipt"] for hook in found["hooks"]] == ["r1", "r3"]
    (failed,) = found["failed"]
    assert (failed["reason"], list(failed["detail"])) == ("internal_error", ["error", "release"])
    assert "marian" not in str(found["failed"])

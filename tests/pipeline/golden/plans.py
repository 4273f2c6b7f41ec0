"""What each sample hook means, in short: `python -m tests.pipeline.golden.plans` writes it anew, for a review of the
difference. A changed message id lets every installation tell its platform the same happening once more.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.chain.decoding import decode_batch
from pipeline.chain.validating import validate_batch
from pipeline.events.happening import Happening, happening_of, message_id
from pipeline.events.table import row_of
from pipeline.fan_out.plan import Concerned, Plan, plan_event
from pipeline.inbox.raw_hook import InboxEntry
from tests.schemas.samples import NAMES, sample

LATER = 1_780_000_000_000_000  # µs, after all that the samples tell of
PLACE = Path(__file__).with_suffix(".json")


def planned(event: str, raw: bytes, query: str | None = None) -> tuple[Happening, Plan]:
    """A hook through decode, validate and plan. An entry that fails raises what it failed by."""
    entry = InboxEntry("r1", "acme", 1, event, LATER, raw, query, entry_id="1-0")
    batch = validate_batch(decode_batch([entry], 1, lambda: LATER), lambda: LATER)
    if batch["failed"]:
        raise AssertionError(batch["failed"])
    (hook,) = batch["hooks"]
    row = row_of(event)
    happening = happening_of(row, hook["data"], hook["fingerprint"], LATER)
    return happening, plan_event(row, hook["data"], happening, {}, "acme", "USD")


def summary(name: str) -> dict[str, Any]:
    """One sample's plan as it is kept."""
    happening, plan = planned(name.partition("__")[0], json.dumps(sample(name)).encode())
    return {
        "happening": happening.key,
        "occurred_at": happening.occurred_at,
        "is_test": plan.is_test,
        "subjects": [list(subject) for subject in plan.subjects],
        "notes": list(plan.notes),
        "people": [_person(happening, one) for one in plan.people],
    }


def _person(happening: Happening, one: Concerned) -> dict[str, Any]:
    email = one.email if one.role == "gift_recipient" else None
    facts = sorted({f"{fact.kind}:{fact.subject}" for fact in one.facts})
    ulid = message_id("acme", happening, happening.key, one.role, email)
    return {"role": one.role, "customer_id": one.customer_id, "email": one.email, "message_id": ulid, "facts": facts}


if __name__ == "__main__":
    PLACE.write_text(json.dumps({name: summary(name) for name in NAMES}, indent=1) + "\n", "utf-8")

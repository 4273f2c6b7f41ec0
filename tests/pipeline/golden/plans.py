"""What each sample hook means, in short: `python -m tests.pipeline.golden.plans` writes it anew, for a review of the
difference. A changed message id lets every installation tell its platform the same happening once more.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.events.catalogue import get_event_row
from pipeline.events.identity import EventIdentity, build_message_id, identify_event
from pipeline.fan_out.plan import AffectedPerson, Plan, plan_event
from pipeline.inbox.entry import InboxEntry
from pipeline.processing.decode import decode_batch
from pipeline.processing.validate import validate_batch
from tests.schemas.samples import NAMES, sample

LATER = 1_780_000_000_000_000  # µs, after all that the samples tell of
PLACE = Path(__file__).with_suffix(".json")


def plan_hook(event: str, raw: bytes, query: str | None = None) -> tuple[EventIdentity, Plan]:
    """A hook through decode, validate and plan. An entry that fails raises what it failed by."""
    entry = InboxEntry("r1", "acme", 1, event, LATER, raw, query, entry_id="1-0")
    batch = validate_batch(decode_batch([entry], 1, lambda: LATER), lambda: LATER)
    if batch["failed"]:
        raise AssertionError(batch["failed"])
    (hook,) = batch["hooks"]
    row = get_event_row(event)
    happening = identify_event(row, hook["data"], hook["fingerprint"], LATER)
    return happening, plan_event(row, hook["data"], happening, {}, "acme", "USD")


def summary(name: str) -> dict[str, Any]:
    """One sample's plan as it is kept."""
    happening, plan = plan_hook(name.partition("__")[0], json.dumps(sample(name)).encode())
    return {
        "happening": happening.key,
        "occurred_at": happening.occurred_at,
        "is_test": plan.is_test,
        "subjects": [list(subject) for subject in plan.subjects],
        "notes": list(plan.notes),
        "people": [_describe_person(happening, one) for one in plan.people],
    }


def _describe_person(happening: EventIdentity, one: AffectedPerson) -> dict[str, Any]:
    email = one.email if one.role == "gift_recipient" else None
    facts = sorted({f"{fact.kind}:{fact.subject}" for fact in one.facts})
    ulid = build_message_id("acme", happening, happening.key, one.role, email)
    return {"role": one.role, "customer_id": one.customer_id, "email": one.email, "message_id": ulid, "facts": facts}


if __name__ == "__main__":
    PLACE.write_text(json.dumps({name: summary(name) for name in NAMES}, indent=1) + "\n", "utf-8")

"""What each sample hook means, in short: `python -m tests.pipeline.golden.plans` writes it anew, for a review of the
difference. A changed message id makes every installation send the same event to its platform once more.
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

LATER = 1_780_000_000_000_000  # µs, after every time in the samples
PLACE = Path(__file__).with_suffix(".json")


def plan_hook(event: str, raw: bytes, query: str | None = None) -> tuple[EventIdentity, Plan]:
    """A hook through decode, validate and plan. An entry that fails raises what it failed by."""
    entry = InboxEntry("r1", "acme", 1, event, LATER, raw, query, entry_id="1-0")
    batch = validate_batch(decode_batch([entry], 1, lambda: LATER), lambda: LATER)
    if batch["failed"]:
        raise AssertionError(batch["failed"])
    (hook,) = batch["hooks"]
    row = get_event_row(event)
    identity = identify_event(row, hook["data"], hook["fingerprint"], LATER)
    return identity, plan_event(row, hook["data"], identity, {}, "acme", "USD")


def summary(name: str) -> dict[str, Any]:
    """One sample's plan as it is kept."""
    identity, plan = plan_hook(name.partition("__")[0], json.dumps(sample(name)).encode())
    return {
        "happening": identity.key,
        "occurred_at": identity.occurred_at,
        "is_test": plan.is_test,
        "subjects": [list(subject) for subject in plan.subjects],
        "notes": list(plan.notes),
        "people": [_describe_person(identity, person) for person in plan.people],
    }


def _describe_person(identity: EventIdentity, person: AffectedPerson) -> dict[str, Any]:
    email = person.email if person.role == "gift_recipient" else None
    facts = sorted({f"{fact.kind}:{fact.subject}" for fact in person.facts})
    ulid = build_message_id("acme", identity, identity.key, person.role, email)
    return {
        "role": person.role,
        "customer_id": person.customer_id,
        "email": person.email,
        "message_id": ulid,
        "facts": facts,
    }


if __name__ == "__main__":
    PLACE.write_text(json.dumps({name: summary(name) for name in NAMES}, indent=1) + "\n", "utf-8")

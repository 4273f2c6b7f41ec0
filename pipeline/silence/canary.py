"""Sends canaries, hooks of ours to our own public address, and raises the alarm if none comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from pipeline import secrets, tokens
from pipeline.http import HTTP, Answer
from pipeline.ledger.connections import connections_of
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.silence.alarms import OPERATOR, WAY_IN, NewAlarm, end_alarms, open_alarm, open_alarms
from pipeline.ledger.silence.canaries import (
    CanaryRow,
    ask_for_canary,
    claim_canary,
    last_canaries,
    next_store,
    note_answer,
)
from pipeline.ledger.stores import StoreRow, get_store
from pipeline.model import CANARY
from pipeline.plural import counted
from pipeline.silence.proof import Proof, way_in

SECOND = 1_000_000
RETRY_US = 60 * SECOND  # after one that failed, whatever the settings say

NOT_OURS = "answered 200, but not as Cratewire does"
OTHER_KEY = "CRATEWIRE_SECRET_KEY is not the one with which the store was connected"


@dataclass(frozen=True, slots=True)
class Address:
    """How canaries are signed and where they go."""

    secret_keys: Sequence[str]
    public_url: str


def watch_way_in(db: Connection, every: float, nonce: Callable[[], str], now: int) -> None:
    """Have the next canary sent when it is time, and open or end the alarm. `every`: seconds; 0 sends none."""
    proof = way_in(db, now)
    alarms = open_alarms(db, kind=WAY_IN)
    if proof.works is False and every and not alarms:
        broken = NewAlarm(WAY_IN, last_at=proof.proven_at, reason=proof.fault, tried=_tried(proof), audience=OPERATOR)
        open_alarm(db, broken, now)
    elif alarms and (proof.failures == 0 or not every):
        end_alarms(db, [one.id for one in alarms], proof.proven_at or now)
    last = next(iter(last_canaries(db, 1)), None)
    rest = RETRY_US if proof.failures else round(every * SECOND)
    if every and (last is None or last.wanted_at <= now - min(rest, round(every * SECOND))):
        store_id = next_store(db)
        if store_id is not None:
            ask_for_canary(db, store_id, nonce(), now)


def _tried(proof: Proof) -> tuple[str, ...]:
    failed = counted(proof.failures, "hook")
    return (f"{failed} of our own sent to the public address did not come back. The last one: {proof.fault}.",)


def send_canary(engine: Engine, address: Address, canary_id: int, http: HTTP, now: Callable[[], int]) -> str | None:
    """Send one that is wanted, as Cratejoy would, and note the answer; why it was none of ours, if it was not."""
    with writing(engine) as db:
        canary = claim_canary(db, canary_id, now())
    if canary is None:
        return None
    with reading(engine) as db:
        store = get_store(db, canary.store_id)
        sealed = [one.config for one in connections_of(db, canary.store_id)]
    if store is None:
        return None
    known = all(secrets.opens(address.secret_keys, one) for one in sealed)
    # With another key it would come back all the same, signed with that key; Cratejoy's hooks do not.
    fault = _fault(_call(address, store, canary, http)) if known else OTHER_KEY
    with writing(engine) as db:
        note_answer(db, canary_id, fault, now())
    return fault


def _call(address: Address, store: StoreRow, canary: CanaryRow, http: HTTP) -> Answer:
    token = tokens.sign(address.secret_keys, store.name, store.token_version)
    url = f"{address.public_url}/hooks/{store.name}/{token}/{CANARY}"
    body = json.dumps({CANARY: canary.nonce}).encode()
    return http.call("POST", url, headers={"Content-Type": "application/json"}, body=body)


def _fault(answer: Answer) -> str | None:
    """None if it was the receiver who answered. What else answers 200 may be a parked domain or a proxy's own page."""
    if answer.status is None:
        return answer.error
    if answer.status != 200:  # noqa: PLR2004 what the receiver says
        return f"answered {answer.status}"
    try:
        told = json.loads(answer.body)
    except ValueError:
        return NOT_OURS
    return None if isinstance(told, dict) and "receipt" in told else NOT_OURS

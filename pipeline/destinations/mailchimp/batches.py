"""Sends many profiles in one batch: calls that Mailchimp makes later, in any order, and that hold no connection.

A batch may take minutes. A send waits for it as long as a send may; if it is not done by then, the messages wait, and
the next send of the same process asks for the same batch again. Another process sends them again, which changes
nothing: each call only says what a member is like.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.core.messages import Outcome, RetryAfter, Sent
from pipeline.destinations.json_text import to_json
from pipeline.destinations.mailchimp.client import MailchimpClient
from pipeline.destinations.mailchimp.responses import parse_outcome, read_problem

MIN_MEMBERS = 50  # fewer are sent one by one
MAX_WAIT_S = 30.0
FIRST_POLL_S, LAST_POLL_S = 0.5, 5.0
_MAX_REMEMBERED = 100
_BATCHES, _BATCH = "/batches", "/batches/:id"

Sleep = Callable[[float], None]

_unfinished: OrderedDict[tuple[str, str], str] = OrderedDict()  # (base URL, digest of the operations) -> batch id
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class BatchMember:
    """A member of a batch, by the position of the message."""

    position: int
    key: str
    body: Mapping[str, Any]


def send_batch(client: MailchimpClient, members: Sequence[BatchMember], sleep: Sleep = time.sleep) -> Outcome | None:
    """Return Sent once all members are taken; None if some were refused, which nothing here says more about."""
    positions = [member.position for member in members]
    body = to_json({"operations": [_build_operation(client, member) for member in members]})
    remembered = client.base_url, hashlib.sha256(body).hexdigest()
    with _lock:
        batch_id = _unfinished.get(remembered)
    if batch_id is None:
        response = client.post("batches", body)
        client.record("POST", _BATCHES, response, positions)
        outcome = parse_outcome(response)
        batch_id = read_problem(response).get("id")
        if not isinstance(outcome, Sent) or not isinstance(batch_id, str):
            return outcome if isinstance(outcome, RetryAfter) else None
        _remember(remembered, batch_id)
    return _wait(client, remembered, batch_id, sleep)


def _wait(client: MailchimpClient, remembered: tuple[str, str], batch_id: str, sleep: Sleep) -> Outcome | None:
    waited, pause = 0.0, FIRST_POLL_S
    while True:
        response = client.get(f"batches/{batch_id}")
        client.record("GET", _BATCH, response, ())
        outcome, found = parse_outcome(response), read_problem(response)
        if not isinstance(outcome, Sent):
            if not isinstance(outcome, RetryAfter):
                _forget(remembered)  # it is not there any more
            return outcome if isinstance(outcome, RetryAfter) else None
        if found.get("status") == "finished":
            _forget(remembered)
            return Sent() if found.get("errored_operations") == 0 else None
        if waited >= MAX_WAIT_S:
            return RetryAfter(LAST_POLL_S, "Mailchimp still works on a batch of these profiles")
        sleep(pause)
        waited, pause = waited + pause, min(2 * pause, LAST_POLL_S)


def _build_operation(client: MailchimpClient, member: BatchMember) -> dict[str, str]:
    path = client.member_path(member.key)
    named = {"method": "PUT", "path": path, "operation_id": str(member.position)}
    return {**named, "body": to_json(member.body).decode()}


def _remember(key: tuple[str, str], batch_id: str) -> None:
    with _lock:
        _unfinished[key] = batch_id
        while len(_unfinished) > _MAX_REMEMBERED:
            _unfinished.popitem(last=False)


def _forget(key: tuple[str, str]) -> None:
    with _lock:
        _unfinished.pop(key, None)

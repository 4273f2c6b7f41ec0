"""Finds and makes the merge fields of survey answers and variants, as long as the audience has room.

Each process remembers an audience's fields for an hour, and asks again when a profile has an answer without a field.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from pipeline.core.messages import Outcome, Rejected, Sent
from pipeline.destinations.json_text import to_json
from pipeline.destinations.mailchimp.client import MailchimpClient
from pipeline.destinations.mailchimp.fields import describe_open_field, make_open_tag
from pipeline.destinations.mailchimp.responses import parse_outcome, read_problem

KNOWN_FOR_S = 3600.0
_TEMPLATE = "/lists/:audience/merge-fields"


@dataclass(slots=True)
class _Known:
    until_s: float
    tags: set[str] = field(default_factory=set)  # that the audience has
    without: set[str] = field(default_factory=set)  # for which it has no room


_known: dict[tuple[str, str], _Known] = {}
_lock = threading.Lock()


def find_open_tags(
    client: MailchimpClient, attributes: Collection[str], position: int
) -> tuple[dict[str, str], Outcome]:
    """Return the tags of these attributes, without those for which there is no room, and Sent or what came instead."""
    tags = {name: make_open_tag(name) for name in attributes}
    key = client.base_url, client.audience
    with _lock:
        known = _known.get(key)
        if known is None or known.until_s < client.now_s():
            known = _Known(client.now_s() + KNOWN_FOR_S)
        if not set(tags.values()) <= known.tags | known.without:
            outcome = _make_missing(client, tags, known, position)
            if not isinstance(outcome, Sent):
                return {}, outcome
            _known[key] = known
    return {name: tag for name, tag in tags.items() if tag in known.tags}, Sent()


def _make_missing(client: MailchimpClient, tags: dict[str, str], known: _Known, position: int) -> Outcome:
    outcome, existing = _read(client, position)
    if not isinstance(outcome, Sent):
        return outcome
    missing = {name: tag for name, tag in tags.items() if tag not in existing}
    for name in sorted(missing):
        response = client.post(f"lists/{client.audience}/merge-fields", to_json(describe_open_field(name)))
        client.record("POST", _TEMPLATE, response, [position])
        made = parse_outcome(response)
        if isinstance(made, Rejected):
            break  # there is no room for more: how many an audience may have depends on the plan
        if not isinstance(made, Sent):
            return made
        existing.add(tags[name])
    if not set(missing.values()) <= existing:
        outcome, existing = _read(client, position)  # another process may have made them
    known.tags, known.without = existing, set(tags.values()) - existing
    return outcome


def _read(client: MailchimpClient, position: int) -> tuple[Outcome, set[str]]:
    response = client.get(f"lists/{client.audience}/merge-fields?count=1000")
    client.record("GET", _TEMPLATE, response, [position])
    fields = read_problem(response).get("merge_fields")
    found = {str(one.get("tag")) for one in fields if isinstance(one, dict)} if isinstance(fields, list) else set()
    return parse_outcome(response), found

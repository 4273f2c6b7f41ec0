"""Checks a key and finds its audience; makes the merge fields that the audience lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.errors import Misconfigured, Unreachable
from pipeline.destinations.check_answers import require_success
from pipeline.destinations.json_text import to_json
from pipeline.destinations.mailchimp.client import MailchimpClient
from pipeline.destinations.mailchimp.fields import FIELDS, describe_field
from pipeline.destinations.mailchimp.responses import read_problem
from pipeline.infra.http.client import HTTPResponse

BAD_REQUEST = 400


def find_audience(client: MailchimpClient, wanted: str) -> Mapping[str, Any]:
    """Return the audience: {"id", "name", "double_optin", …}. Raise Misconfigured, naming those there are."""
    audiences = _list(_require(client.get("lists?count=1000&fields=lists.id,lists.name,lists.double_optin")), "lists")
    found = [one for one in audiences if wanted in ("", str(one.get("id")))]
    if len(found) == 1:
        return found[0]
    named = ", ".join(f"{one.get('id')} ({one.get('name')})" for one in audiences)
    raise Misconfigured(f"audience must be one of: {named}" if named else "this account has no audience yet")


def make_fields(client: MailchimpClient) -> tuple[str, ...]:
    """Make the merge fields that are missing, as long as there is room. Return the tags for which there was none."""
    path = f"lists/{client.audience}/merge-fields"
    existing = _list(_require(client.get(f"{path}?count=1000")), "merge_fields")
    tags = {one.get("tag") for one in existing}
    missing = [field for field in FIELDS if field.tag not in tags]
    for number, field in enumerate(missing):
        response = client.post(path, to_json(describe_field(field)))
        if response.status == BAD_REQUEST:  # there is no room for more: how many there may be depends on the plan
            return tuple(one.tag for one in missing[number:])
        _require(response)
    return ()


def _require(response: HTTPResponse) -> HTTPResponse:
    require_success(
        response,
        not_public="the base URL is not a public address",
        refused="Mailchimp refused the API key",
        absent="there is no Mailchimp API at this address",
        absent_statuses=(404, 405),
    )
    return response


def _list(response: HTTPResponse, name: str) -> Sequence[Mapping[str, Any]]:
    found = read_problem(response).get(name)
    if not isinstance(found, list):
        raise Unreachable(f"Mailchimp answered {response.status}, but not with {name}")
    return [one for one in found if isinstance(one, dict)]

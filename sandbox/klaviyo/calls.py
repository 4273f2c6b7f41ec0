"""The calls of Klaviyo's API that are played: method, path, the scope they need, and how often they may come."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.klaviyo import consent, event_calls, profile_calls
from sandbox.klaviyo.account import Account
from sandbox.klaviyo.errors import Refusal, error

Answer = tuple[int, Any]
Handler = Callable[[Account, bytes, dict[str, str], str], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One call. `path`: a pattern, whose group is an id. `tier`: its limits, as Klaviyo names their sizes."""

    method: str
    path: str
    scope: str
    tier: str
    answer: Handler


def _of_body(handler: Callable[[Account, bytes], Answer]) -> Handler:
    return lambda account, body, _args, _named: handler(account, body)


def _of_id(handler: Callable[[Account, str], Answer]) -> Handler:
    return lambda account, _body, _args, named: handler(account, named)


def _accounts(account: Account, _body: bytes) -> Answer:
    return 200, {"data": [account.as_json()]}


ROUTES = (
    Route("GET", "accounts", "accounts:read", "xs", _of_body(_accounts)),
    Route("GET", "profiles", "profiles:read", "l", lambda account, _body, args, _id: profile_calls.find(account, args)),
    Route("POST", "profiles", "profiles:write", "l", _of_body(profile_calls.create)),
    Route("GET", "profiles/([^/]+)", "profiles:read", "l", _of_id(profile_calls.read)),
    Route(
        "PATCH",
        "profiles/([^/]+)",
        "profiles:write",
        "l",
        lambda account, body, _args, named: profile_calls.update(account, body, named),
    ),
    Route("POST", "profile-import", "profiles:write", "l", _of_body(profile_calls.upsert)),
    Route("POST", "profile-merge", "profiles:write", "m", _of_body(profile_calls.merge)),
    Route("POST", "profile-bulk-import-jobs", "profiles:write", "m", _of_body(profile_calls.start_import)),
    Route("GET", "profile-bulk-import-jobs/([^/]+)", "profiles:read", "m", _of_id(profile_calls.read_import)),
    Route(
        "GET",
        "profile-bulk-import-jobs/([^/]+)/import-errors",
        "profiles:read",
        "m",
        _of_id(profile_calls.read_import_errors),
    ),
    Route("POST", "events", "events:write", "xl", _of_body(event_calls.create)),
    Route("POST", "event-bulk-create-jobs", "events:write", "m", _of_body(event_calls.create_many)),
    Route("POST", "profile-subscription-bulk-create-jobs", "subscriptions:write", "l", _of_body(consent.subscribe)),
    Route("POST", "profile-subscription-bulk-delete-jobs", "subscriptions:write", "l", _of_body(consent.unsubscribe)),
    Route("POST", "profile-suppression-bulk-create-jobs", "subscriptions:write", "l", _of_body(consent.suppress)),
    Route("POST", "data-privacy-deletion-jobs", "data-privacy:write", "s", _of_body(consent.delete_person)),
)
SCOPES = tuple(sorted({route.scope for route in ROUTES}))


def find_route(method: str, path: str) -> tuple[Route, str]:
    """Return the route of a call and the id in its path, or refuse the path or the method."""
    found = [(route, match) for route in ROUTES if (match := re.fullmatch(route.path, path))]
    for route, match in found:
        if route.method == method:
            return route, match[1] if match.re.groups else ""
    if found:
        raise Refusal(405, error(405, "method_not_allowed", f"Method {method} is not allowed here."))
    raise Refusal(404, error(404, "not_found", "There is no such address."))

"""The control paths under `/_sandbox`, with which tests and benchmarks read and change the state."""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from sandbox.customerio.faults import UnknownFault
from sandbox.customerio.http_messages import Answer, Json, Request, compact, read_object
from sandbox.customerio.state import State
from sandbox.customerio.switches import Switches, apply_switches
from sandbox.customerio.workspace import Workspace
from sandbox.switch_rules import UnknownSwitch

PREFIX = "/_sandbox/"


def answer_control(state: State, request: Request) -> Callable[[], Answer]:
    """Handle the request and return a function that writes the response; it is called without the lock."""
    handler = HANDLERS.get((request.method, request.path.removeprefix(PREFIX)))
    if handler is None:
        return lambda: compact(404, {"error": "there is no such control path"})
    state.apply_deferred()
    try:
        content = handler(state, request)
    except (UnknownFault, UnknownSwitch, ValueError, TypeError) as error:
        reason = str(error)
        return lambda: compact(400, {"error": reason})
    return lambda: compact(200, content)


def select_workspaces(state: State, request: Request) -> list[Workspace]:
    """Return the workspace the query names, or all."""
    site_id = request.query.get("workspace")
    if site_id is None:
        return list(state.workspaces.values())
    if site_id not in state.workspaces:
        raise ValueError("there is no such workspace")
    return [state.workspaces[site_id]]


def _body(request: Request) -> Json:
    body = read_object(request.body or b"{}")
    if body is None:
        raise ValueError("the body must be a JSON object")
    return body


def _window(request: Request) -> tuple[int, int | None]:
    offset = int(request.query.get("offset", 0))
    return offset, offset + int(request.query["limit"]) if "limit" in request.query else None


def _people(state: State, request: Request) -> object:
    people = (person for workspace in select_workspaces(state, request) for person in workspace.people)
    return [person.as_json() for person in islice(people, *_window(request))]


def _log(state: State, request: Request) -> object:
    return [
        {"workspace": workspace.site_id, **entry.as_json()}
        for workspace in select_workspaces(state, request)
        for entry in workspace.log.entries()
    ]


def _calls(state: State, request: Request) -> object:
    site_id = request.query.get("workspace")
    calls = (call for call in state.calls.calls if site_id in (None, call.workspace))
    return [call.as_json() for call in islice(calls, *_window(request))]


def _stats(state: State, request: Request) -> object:
    return {
        "workspaces": {workspace.site_id: _counts(workspace) for workspace in select_workspaces(state, request)},
        "calls": len(state.calls.calls),
        "statuses": Counter(str(call.status) for call in state.calls.calls),
        "items": sum(len(call.items) for call in state.calls.calls),
        "faults": _faults(state, request),
        "switches": _switches_json(state.switches),
    }


def _counts(workspace: Workspace) -> Mapping[str, Any]:
    return {
        "people": len(workspace.people),
        "events": workspace.event_count,
        "anonymous_events": sum(map(len, workspace.anonymous.values())),
        "invites": len(workspace.invites),
        "suppressed_identifiers": len(workspace.suppressed),
        "activity": dict(workspace.log.counts),
    }


def _switches_json(switches: Switches) -> Mapping[str, Any]:
    return {name: getattr(switches, name) for name in Switches.__dataclass_fields__}


def _add_fault(state: State, request: Request) -> object:
    body = _body(request)
    if body.get("workspace") not in (None, *state.workspaces):
        raise ValueError("there is no such workspace")
    return state.faults.add(body, state.now).as_json()


def _faults(state: State, _: Request) -> object:
    return [fault.as_json() for fault in state.faults.pending(state.now)]


def _clear_faults(state: State, request: Request) -> object:
    state.faults.clear(request.query.get("mode"), request.query.get("workspace"))
    return {"faults": _faults(state, request)}


def _turn_switches(state: State, request: Request) -> object:
    state.switches = apply_switches(state.switches, _body(request))
    return _switches_json(state.switches)


def _reset(state: State, _: Request) -> object:
    state.forget()
    return {}


def _add_workspace(state: State, request: Request) -> object:
    body = _body(request)
    unknown = body.keys() - {"site_id", "api_key", "region"}
    if unknown:
        raise ValueError(f"a workspace has no {', '.join(sorted(unknown))}")
    return {"url": state.base_url, **_workspace_json(state.add_workspace(**body))}


def _workspaces(state: State, _: Request) -> object:
    return [_workspace_json(workspace) for workspace in state.workspaces.values()]


def _workspace_json(workspace: Workspace) -> Mapping[str, Any]:
    return {"site_id": workspace.site_id, "api_key": workspace.api_key, "region": workspace.region}


HANDLERS: Mapping[tuple[str, str], Callable[[State, Request], object]] = {
    ("GET", "people"): _people,
    ("GET", "log"): _log,
    ("GET", "calls"): _calls,
    ("GET", "stats"): _stats,
    ("GET", "workspaces"): _workspaces,
    ("POST", "workspaces"): _add_workspace,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "switches"): _turn_switches,
    ("POST", "reset"): _reset,
}

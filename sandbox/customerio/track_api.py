"""A call to the vendor's paths, step by step: fault, credentials, rate, route, record."""

from collections.abc import Callable
from dataclasses import replace

from sandbox.customerio import v1, v1_checked_only, v2
from sandbox.customerio.activity import DROPPED_LOAD
from sandbox.customerio.auth import read_basic
from sandbox.customerio.calls import Call
from sandbox.customerio.fault_responses import REPLACEMENTS, TRANSFORMATIONS, throttled, unauthorized
from sandbox.customerio.faults import Fault
from sandbox.customerio.http_messages import Answer, Request, compact, ok, pretty
from sandbox.customerio.limits import REQUEST_BYTES
from sandbox.customerio.state import State
from sandbox.customerio.workspace import CallContext, Workspace

REGION_PATH = "/api/v1/accounts/region"
HANDLERS: dict[tuple[str, str], Callable[[CallContext, Request], Answer]] = {
    **v1.ROUTES,
    **v1_checked_only.ROUTES,
    **v2.ROUTES,
}


def answer_track_api(state: State, request: Request) -> Answer:
    """Return the response of Customer.io, or that of a fault."""
    credentials = read_basic(request.headers.get("authorization"))
    site_id = credentials.site_id if credentials else None
    template, now = v1.template_of(request.path), state.now
    call = state.calls.begin(site_id, request.method, template, now)
    struck = state.faults.take(site_id, template, now)
    fault = next((fault for fault in struck if fault.mode != "latency"), None)
    call.fault = fault.mode if fault else None

    answer = _build_fault_answer(fault, request, now) or _answer_with_workspace(state, request, call, fault)
    call.status = answer.status
    return replace(answer, delay_s=_delay_s(state, struck))


def _delay_s(state: State, struck: list[Fault]) -> float:
    ms = state.switches.latency_ms + sum(fault.options["ms"] for fault in struck if fault.mode == "latency")
    return float(ms) / 1000


def _build_fault_answer(fault: Fault | None, request: Request, now: int) -> Answer | None:
    if fault is None or fault.mode not in REPLACEMENTS or fault.options.get("processed"):
        return None
    return REPLACEMENTS[fault.mode](fault.options, request, now)


def _answer_with_workspace(state: State, request: Request, call: Call, fault: Fault | None) -> Answer:
    workspace = state.admit(read_basic(request.headers.get("authorization")))
    if workspace is None:
        return unauthorized()
    visit = CallContext(workspace, state.switches, call, call.started_at)
    refused = _rate_limited_answer(visit)
    if refused is not None:
        return refused
    if fault is not None and fault.mode == "drop":
        visit.note(DROPPED_LOAD, call.path)
        return ok()
    if fault is not None and fault.mode == "out-of-order":
        workspace.apply_deferred()
        workspace.deferred = lambda: _route(state, visit, request)
        return ok()
    if fault is not None and fault.mode == "partial":
        visit.spoiled = frozenset(fault.options["indexes"])
    answer = _route(state, visit, request)
    workspace.apply_deferred()
    return TRANSFORMATIONS[fault.mode](fault.options, answer) if fault and fault.mode in TRANSFORMATIONS else answer


def _rate_limited_answer(visit: CallContext) -> Answer | None:
    switches = visit.switches
    if visit.workspace.bucket.allows(visit.now, switches.rate_limit_per_s):
        return None
    if switches.rate_limit_answer == "drop":
        visit.note(DROPPED_LOAD, visit.call.path)
        return ok()
    return throttled(switches.rate_limit_answer.removeprefix("429:"), 1, visit.now)


def _route(state: State, visit: CallContext, request: Request) -> Answer:
    if len(request.body) > REQUEST_BYTES:
        return Answer(413)
    if (request.method, request.path) == ("GET", REGION_PATH):
        return _region(state, visit.workspace)
    handler = HANDLERS.get((request.method, visit.call.path))
    return handler(visit, request) if handler else pretty(404, {"meta": {"error": "not found"}})


def _region(state: State, workspace: Workspace) -> Answer:
    content = {"url": state.base_url, "region": workspace.region, "environment_id": workspace.number}
    return compact(200, content)

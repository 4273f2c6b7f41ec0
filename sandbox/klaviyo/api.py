"""Answers calls: by what they ask for, or by a fault that is set."""

import json
import re
from typing import Any

from flask import Response, request

from sandbox.connection_cuts import CUT
from sandbox.klaviyo.calls import Route, find_route
from sandbox.klaviyo.errors import Refusal, error
from sandbox.klaviyo.faults import Fault
from sandbox.klaviyo.windows import DOCUMENTED
from sandbox.klaviyo.world import World

JSON_API = "application/vnd.api+json"
CONTENT_TYPES = (JSON_API, "application/json")
OLDEST_REVISION = "2024-10-15"  # older ones are retired: two years
OPT_OUT = "X-Klaviyo-Revision-Fall-Forward-Opt-Out"
HTML = "<html><head><title>Error</title></head><body><h1>Error</h1></body></html>"
_REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(\.pre)?")


def take_call(world: World, path: str) -> Response:
    """Answer the request of this context."""
    with world.lock:
        set_answer = world.next_answers.popleft() if world.next_answers else None
        struck = [] if set_answer else world.faults.strike(request.method, path)
    for fault in struck:
        if fault.mode == "latency":
            world.released.wait(fault.options["ms"] / 1000)
    others = [fault for fault in struck if fault.mode != "latency"]
    if set_answer is not None:
        response = _give(world, set_answer, path)
    else:
        response = _fail(world, others[0], path) if others else _answer(world, path)
    with world.lock:
        world.statuses[str(response.status_code)] += 1
    return response


def _give(world: World, set_answer: dict[str, Any], path: str) -> Response:
    if set_answer.get("after"):
        _answer(world, path)
    headers = {name: str(value) for name, value in set_answer.get("headers", {}).items()}
    return Response(b"", set_answer["status"], headers, content_type=JSON_API)


def _answer(world: World, path: str, *, is_dropped: bool = False) -> Response:
    headers: dict[str, str] = {}
    try:
        with world.lock:
            _check_key(world)
            _check_revision(world)
            route, named = find_route(request.method, path)
            _check_scope(world, route)
            headers = _count_call(world, route)
            _check_content_type()
            account = world.account if not is_dropped else world.account.copied()
            status, content = route.answer(account, request.get_data(), request.args.to_dict(), named)
            if not world.is_holding:
                account.process()
    except Refusal as refusal:
        return _refuse(refusal, headers)
    return Response("" if content is None else json.dumps(content), status, headers, content_type=JSON_API)


def _refuse(refusal: Refusal, headers: dict[str, str]) -> Response:
    body = json.dumps({"errors": refusal.errors})
    return Response(body, refusal.status, {**headers, **refusal.headers}, content_type=JSON_API)


def _fail(world: World, fault: Fault, path: str) -> Response:
    options = fault.options
    if fault.mode == "drop":
        return _answer(world, path, is_dropped=True)
    if fault.mode == "hang":
        world.released.wait(options["seconds"])
    if fault.mode in ("hang", "reset-before", "store-then-reset"):
        request.environ[CUT] = True
    if fault.mode in ("store-then-reset", "truncated-json") or options.get("processed"):
        response = _answer(world, path)
        if fault.mode == "truncated-json":
            whole = response.get_data()
            return Response(whole[: len(whole) // 2], response.status_code, content_type=JSON_API)
    return _answer_instead(fault)


def _answer_instead(fault: Fault) -> Response:
    options = fault.options
    if fault.mode == "auth-revoked":
        return _refuse(_bad_key(), {})
    if fault.mode == "429":
        wait = options["retry_after"]
        return _refuse(_throttled(wait), {} if wait is None else {"Retry-After": str(wait)})
    if fault.mode == "redirect":
        location = f"{options['host']}{request.full_path.rstrip('?')}"
        return Response(status=options["code"], headers={"Location": location})
    if fault.mode == "status" and options["body"] == "errors":
        return _refuse(Refusal(options["code"], error(options["code"], "error", "A fault of the sandbox.")), {})
    body = HTML if options.get("body") == "html" else ""
    return Response(body, options.get("code", 200), mimetype="text/html")


def _check_key(world: World) -> None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Klaviyo-API-Key" or key != world.api_key:
        raise _bad_key()


def _bad_key() -> Refusal:
    return Refusal(401, error(401, "not_authenticated", "Incorrect authentication credentials.", "/data/"))


def _check_scope(world: World, route: Route) -> None:
    if route.scope in world.missing_scopes:
        text = f"The key lacks the scope {route.scope}."
        raise Refusal(403, error(403, "permission_denied", text, "/data/"))


def _check_revision(world: World) -> None:
    revision = request.headers.get("revision", "")
    if not _REVISION.fullmatch(revision):
        raise Refusal(400, error(400, "invalid", "The revision header is required.", "/data"))
    is_served = world.retired_revision == "served" and request.headers.get(OPT_OUT) != "1"
    if revision < OLDEST_REVISION and not is_served:
        raise Refusal(410, error(410, "gone", "This API revision has been retired.", "/data"))


def _check_content_type() -> None:
    if request.method != "GET" and request.mimetype not in CONTENT_TYPES:
        raise Refusal(415, error(415, "unsupported_media_type", f"The content type must be {JSON_API}."))


def _count_call(world: World, route: Route) -> dict[str, str]:
    tier = route.tier if world.tier == DOCUMENTED else world.tier
    headers, wait_s = world.windows.take(f"{route.method} {route.path}", tier)
    if wait_s is None:
        return headers
    refusal = _throttled(wait_s)
    refusal.headers["Retry-After"] = str(wait_s)
    raise refusal


def _throttled(wait_s: object) -> Refusal:
    title = "Request was throttled."
    detail = title if wait_s is None else f"{title} Expected available in {wait_s} second."
    return Refusal(429, {**error(429, "throttled", detail), "title": title})

"""What every request to the API passes: faults, Basic auth, the journal."""

import time

from flask import Flask, Response, g, request

from sandbox.basic_auth import has_pair
from sandbox.connection_cuts import CUT
from sandbox.store.api.responses import refusal
from sandbox.store.world import World

API = "/v1"
LOST = 503  # the status of an answer that no client sees


def install_middleware(app: Flask, world: World) -> None:
    """Hang the gate before, and the journal behind, all requests that are not for the control endpoints."""

    @app.before_request
    def enter() -> Response | None:
        if not request.path.startswith(API):
            return None
        g.at = world.clocks.wall()
        verdict = world.faults.judge(request.method, request.path)
        if verdict.latency:
            time.sleep(verdict.latency)
        request.environ[CUT] = verdict.cut is not None
        if verdict.cut == "drop_before_commit":
            return refusal(LOST, "the connection is cut")
        if verdict.status:
            return add_retry_after(refusal(verdict.status, "a fault was asked for"), verdict.retry_after)
        return None if is_authorized(world) and not verdict.revoked else build_unauthorized_response(world)

    @app.after_request
    def note(response: Response) -> Response:
        if request.path.startswith(API):
            status = 0 if request.environ.get(CUT) else response.status_code
            world.journal.note(g.at, request.method, request.path, request.query_string.decode("latin-1"), status)
        return response


def is_authorized(world: World) -> bool:
    given = request.headers.get("Authorization", "")
    return has_pair(given, world.options.client_id, world.options.client_secret)


def build_unauthorized_response(world: World) -> Response:
    """Only 403 is documented; a server with Basic auth would normally send 401. The switch decides."""
    response = refusal(world.switches.refuse_with, "these keys are not accepted")
    response.headers["WWW-Authenticate"] = 'Basic realm="Cratejoy"'
    return response


def add_retry_after(response: Response, seconds: int | None) -> Response:
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response

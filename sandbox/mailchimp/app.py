"""The API as a WSGI application, with control paths under `/_sandbox`."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request

from sandbox.connection_cuts import CUT, cut_on_request
from sandbox.mailchimp.call import Answer, Call
from sandbox.mailchimp.control import add_control_paths
from sandbox.mailchimp.faults import Fault
from sandbox.mailchimp.gate import Gate
from sandbox.mailchimp.problems import Problem
from sandbox.mailchimp.results import find_results, pack
from sandbox.mailchimp.routes import answer_call
from sandbox.mailchimp.world import World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON_TYPE = "application/json; charset=utf-8"
PROBLEM_TYPE = "application/problem+json; charset=utf-8"
HTML = "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
REFUSED = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code></Error>'
SERVER_LIMIT_S = 120


class Api:
    """Answers calls, unless a fault does."""

    def __init__(self, world: World) -> None:
        """Serve this world."""
        self.world = world
        self.gate = Gate(world)
        self.released = threading.Event()

    def release(self) -> None:
        """Let every call go on that waits because of a fault."""
        self.released.set()
        self.released = threading.Event()

    def take(self, path: str) -> Response:
        """Answer the request of this context."""
        self.world.url = request.root_url.rstrip("/")
        request_id = str(uuid.UUID(int=self.world.luck.getrandbits(128), version=4))
        try:
            user = self.gate.check_key(
                request.headers.get("Authorization", ""),
                request.headers.get("X-Trigger-Error", ""),
                request.args.get("apikey", "") if request.method == "GET" else "",
            )
            with self.gate.entered(user):
                response = self._answer_or_fail(path, request_id)
        except Problem as problem:
            response = self._refuse(problem, request_id)
        response.headers["X-Request-Id"] = request_id
        response.headers["Link"] = f'<{self.world.base_url}/schema.json>; rel="describedBy"'
        with self.world.lock:
            self.world.statuses[str(response.status_code)] += 1
            entry = {"method": request.method, "path": path, "status": response.status_code}
            self.world.log.append({**entry, "is_cut": bool(request.environ.get(CUT)), "id": request_id})
        return response

    def _answer_or_fail(self, path: str, request_id: str) -> Response:
        with self.world.lock:
            set_answer = self.world.next_answers.popleft() if self.world.next_answers else None
            struck = [] if set_answer else self.world.faults.strike(request.method, path)
        if set_answer is not None:
            return self._give(set_answer, path, request_id)
        for fault in struck:
            if fault.mode == "latency":
                self.released.wait(fault.options["ms"] / 1000)
        others = [fault for fault in struck if fault.mode != "latency"]
        return self._fail(others[0], path, request_id) if others else self._answer(path, request_id)

    def _answer(self, path: str, request_id: str) -> Response:
        try:
            with self.world.lock:
                answer = answer_call(self.world, Call(request.method, path, request.args.to_dict(), request.get_data()))
        except Problem as problem:
            return self._refuse(problem, request_id)
        return _respond(answer)

    def _give(self, set_answer: dict[str, Any], path: str, request_id: str) -> Response:
        if set_answer.get("after"):
            self._answer(path, request_id)
        headers = {name: str(value) for name, value in set_answer.get("headers", {}).items()}
        return Response(status=set_answer["status"], headers=headers)

    def _fail(self, fault: Fault, path: str, request_id: str) -> Response:
        mode, options = fault.mode, fault.options
        if mode in ("reset-before", "store-then-reset"):
            request.environ[CUT] = True
        if mode == "hang":
            self.released.wait(options["seconds"])
            request.environ[CUT] = True
        if mode in ("store-then-reset", "slow-120", *BODY_FAULTS) or options.get("processed"):
            response = self._answer(path, request_id)
            if mode == "slow-120":
                self.released.wait(options["seconds"])
                return response if options["seconds"] < SERVER_LIMIT_S else _html(502)
            if mode in BODY_FAULTS:
                return BODY_FAULTS[mode](response, options)
        return self._answer_instead(mode, options, request_id)

    def _answer_instead(self, mode: str, options: dict[str, Any], request_id: str) -> Response:
        if mode == "429":
            too_many = Problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.")
            response = self._refuse(too_many, request_id)
            if options["retry_after"] is not None:
                response.headers["Retry-After"] = str(options["retry_after"])
            return response
        if mode == "redirect":
            location = f"{options['host']}{request.full_path.rstrip('?')}"
            return Response(status=options["code"], headers={"Location": location})
        if mode == "status" and options["body"] == "problem":
            title = options["title"] or HTTPStatus(options["code"]).phrase
            return self._refuse(Problem(options["code"], title, options["detail"]), request_id)
        if mode == "502-html" or (mode == "status" and options["body"] == "html"):
            return _html(options.get("code", 502))
        return Response(status={"429-empty": 429, "bare-403": 403}.get(mode, options.get("code", 200)))

    def _refuse(self, problem: Problem, request_id: str) -> Response:
        switches = self.world.switches
        document = problem.as_json(request_id, switches.locale, switches.problem_type)
        headers = {"Allow": problem.allow} if problem.allow else {}
        return Response(json.dumps(document), problem.status, headers, content_type=PROBLEM_TYPE)


def create_app(world: World) -> Flask:
    """Return the application."""
    app = Flask("sandbox.mailchimp", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen
    api = Api(world)
    add_control_paths(app, world, api.gate, api.release)

    @app.route("/3.0", methods=METHODS, defaults={"path": ""})
    @app.route("/3.0/", methods=METHODS, defaults={"path": ""})
    @app.route("/3.0/<path:path>", methods=METHODS)
    def take(path: str) -> Response:
        return api.take(f"/{path.rstrip('/')}" if path else "")

    @app.get("/results/<batch_id>.tar.gz")
    def results(batch_id: str) -> Response:
        """Answer as a store of files: without a key, and only while the address is valid."""
        if "Authorization" in request.headers:
            return Response(REFUSED.format("InvalidArgument"), 400, content_type="application/xml")
        with world.lock:
            batch = find_results(world, batch_id, request.args.get("expires", ""), request.args.get("signature", ""))
            if batch is None:
                return Response(REFUSED.format("AccessDenied"), 403, content_type="application/xml")
            return Response(pack(batch), content_type="application/x-gzip")

    wsgi: Any = cut_on_request(app.wsgi_app)
    app.wsgi_app = wsgi  # type: ignore[method-assign]
    return app


def _respond(answer: Answer) -> Response:
    text = "" if answer.content is None else json.dumps(answer.content)
    return Response(text, answer.status, content_type=JSON_TYPE)


def _html(status: int) -> Response:
    return Response(HTML, status, mimetype="text/html")


def _truncate(response: Response, _options: Any) -> Response:
    whole = response.get_data()
    return Response(whole[: len(whole) // 2], response.status_code, content_type=JSON_TYPE)


def _promise_more(response: Response, _options: Any) -> Response:
    response.headers["Content-Length"] = str(len(response.get_data()) + 100)
    return response


def _slow_down(response: Response, options: Any) -> Response:
    whole = response.get_data()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(whole), 100):
            time.sleep(options["pause_ms"] / 1000)
            yield whole[start : start + 100]

    return Response(pieces(), response.status_code, content_type=JSON_TYPE)


BODY_FAULTS = {"truncated-json": _truncate, "wrong-content-length": _promise_more, "slow-body": _slow_down}

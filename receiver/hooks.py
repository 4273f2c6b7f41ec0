"""The hook address as a Flask view: the fast path's rules, for servers and tests that go through Flask."""

from __future__ import annotations

from flask import Blueprint, Response, request

from receiver.fast_path import answer_to
from receiver.intake import Intake

ANY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]  # the intake refuses, so that all is JSON


def blueprint(intake: Intake) -> Blueprint:
    """The view, bound to an intake."""
    hooks = Blueprint("hooks", __name__)

    @hooks.route("/hooks/<path:_rest>", methods=ANY_METHOD, provide_automatic_options=False)
    def take(_rest: str) -> Response:
        answer = answer_to(request.environ, intake)
        return Response(answer.body, answer.status, answer.headers)

    return hooks

"""The Flask application of the API, under /api/v1: bearer tokens, no cookies, problems as errors.

It is an application of its own beside the pages: it has no session, so that a form on another site can do nothing, and
a program that reads the API needs nothing of what logs people in.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.routing import BaseConverter

from pipeline.context import Context
from receiver.api import (
    attention,
    batches,
    caller,
    connections,
    docs,
    dry_runs,
    events,
    exports,
    flow,
    imports,
    mappings,
    messages,
    orders,
    people,
    person_answers,
    replays,
    samples,
    shops,
    stats,
    token,
    tracking,
    unreadable,
    warehouse_keys,
    warehouse_settings,
    warehouses,
    work,
)
from receiver.api.caller import CONTEXT_EXTENSION, get_required_scope, identify_caller, record_use, require_scope
from receiver.api.limits import LIMITS_EXTENSION, RequestLimits, add_limit_headers
from receiver.api.problems import Problem, add_problem_handlers
from receiver.api.resource import ProblemApi, add_fields
from receiver.row_ids import RowIdConverter

PREFIX = "/api/v1"
MAX_BODY_BYTES = 64_000
_RESOURCES = (
    *(token, shops, events, people, person_answers, messages, connections, mappings, attention),
    *(flow, stats, replays, samples, unreadable, warehouses, warehouse_keys, warehouse_settings, dry_runs, orders),
    *(tracking, batches, work, exports, imports),
)
_DESCRIPTION = (
    "What the pages show, for programs. Make a token on the account page or with `cratewire accounts token new`, and "
    "send it as `Authorization: Bearer cwt_…`. `docs/api.md` explains it."
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_YEAR_S = 31_536_000


class NameConverter(BaseConverter):
    """The name of a shop in a path."""

    regex = "[a-z0-9][a-z0-9-]{0,62}"


def create_api(context: Context, limits: RequestLimits | None = None) -> Flask:
    """Build the API of this installation."""
    app = Flask("receiver.api", static_folder=None)
    app.config.update(
        API_TITLE="Cratewire",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PROPAGATE_EXCEPTIONS=False,
        API_SPEC_OPTIONS=_build_spec_options(context.settings.public_url),
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's default provider
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions[CONTEXT_EXTENSION] = context
    app.url_map.converters |= {"row_id": RowIdConverter, "name": NameConverter}
    app.url_map.strict_slashes = False
    add_problem_handlers(app)
    limits = limits or RequestLimits(redis=context.redis, secret=context.settings.secret_keys[0])
    app.extensions[LIMITS_EXTENSION] = limits
    _add_admission(app, limits)
    api = ProblemApi(app)
    add_fields(api)
    api.register_converter(RowIdConverter, lambda _: {"type": "string", "pattern": f"^{RowIdConverter.regex}$"})
    api.register_converter(NameConverter, lambda _: {"type": "string", "pattern": f"^{NameConverter.regex}$"})
    for resource in _RESOURCES:
        api.register_blueprint(resource.blueprint, url_prefix=PREFIX)
    docs.add_page(app, api, PREFIX)
    _add_headers(app, https=context.settings.public_url.startswith("https://"))
    return app


def _build_spec_options(public_url: str) -> dict[str, Any]:
    bearer = {"type": "http", "scheme": "bearer", "description": "A token of an account: `cwt_…`."}
    return {
        "info": {"description": _DESCRIPTION, "version": importlib.metadata.version("cratewire")},
        "servers": [{"url": public_url.rstrip("/")}],
        "components": {"securitySchemes": {"bearer": bearer}},
        "security": [{"bearer": []}],
    }


def _add_admission(app: Flask, limits: RequestLimits) -> None:
    """Let a request in: with a token that counts, within its limit, and with the scope that its view needs."""

    @app.before_request
    def admit() -> None:
        scope = get_required_scope(request.endpoint)
        if scope is None and request.endpoint in docs.PUBLIC_ENDPOINTS:
            return
        try:
            g.caller = identify_caller()
        except Problem as problem:
            if request.headers.get("Authorization"):
                limits.count_wrong_token()
            raise problem from None
        limits.count(g.caller.token_id)
        record_use(caller.get_context(), g.caller)
        if scope is not None:
            require_scope(g.caller, scope)


def _add_headers(app: Flask, *, https: bool) -> None:
    @app.after_request
    def add(response: Response) -> Response:
        response.headers.update(HEADERS)
        if https:
            response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_S}"
        response.headers.setdefault("Cache-Control", "private, no-cache")
        add_limit_headers(response)
        if request.method in ("GET", "HEAD") and response.status_code == 200:  # noqa: PLR2004 - HTTP's
            response.add_etag()
            response.make_conditional(request)
        return response

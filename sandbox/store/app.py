"""The store as a WSGI application."""

from typing import Any

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from sandbox.connection_cuts import cut_on_request
from sandbox.store.api.control import control
from sandbox.store.api.control_boxes import control_boxes
from sandbox.store.api.control_hooks import control_hooks
from sandbox.store.api.control_sales import control_sales
from sandbox.store.api.hooks import hooks
from sandbox.store.api.metadata import metadata
from sandbox.store.api.middleware import install_middleware
from sandbox.store.api.orders import orders
from sandbox.store.api.reads import reads
from sandbox.store.api.responses import refusal
from sandbox.store.api.shipments_v11 import shipments_v11
from sandbox.store.api.subscriptions import subscriptions
from sandbox.store.api.writes import writes
from sandbox.store.world import World

PARTS = (
    control,
    control_hooks,
    control_sales,
    control_boxes,
    hooks,
    metadata,
    subscriptions,
    orders,
    writes,
    shipments_v11,
    reads,
)


def create_app(world: World) -> Flask:
    """Every path works with and without its trailing slash, and without a redirect."""
    app = Flask("sandbox.store", static_folder=None)
    app.url_map.strict_slashes = False
    install_middleware(app, world)
    for part in PARTS:
        app.register_blueprint(part(world))
    app.register_error_handler(HTTPException, as_json)
    wsgi: Any = cut_on_request(app.wsgi_app)
    app.wsgi_app = wsgi  # type: ignore[method-assign]
    return app


def as_json(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    return refusal(error.code or 500, error.name)

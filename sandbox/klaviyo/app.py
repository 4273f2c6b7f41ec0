"""Klaviyo's API as a WSGI application."""

from typing import Any

from flask import Flask, Response

from sandbox.connection_cuts import cut_on_request
from sandbox.klaviyo.api import take_call
from sandbox.klaviyo.control import add_control_paths
from sandbox.klaviyo.world import World

__all__ = ["World", "create_app"]


def create_app(world: World) -> Flask:
    """Return the application, with control paths under `/_sandbox`."""
    app = Flask("sandbox.klaviyo", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen
    app.url_map.strict_slashes = False
    add_control_paths(app, world)

    @app.route("/api/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def take(path: str) -> Response:
        return take_call(world, path.rstrip("/"))

    wsgi: Any = cut_on_request(app.wsgi_app)
    app.wsgi_app = wsgi  # type: ignore[method-assign]
    return app

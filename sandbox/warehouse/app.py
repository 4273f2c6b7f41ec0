"""The warehouse as a WSGI application."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from sandbox.warehouse.cartrover.views import cartrover
from sandbox.warehouse.control import control
from sandbox.warehouse.gate import Gate, wait
from sandbox.warehouse.threepl.views import threepl
from sandbox.warehouse.world import World

PARTS = (control, cartrover, threepl)


def create_app(world: World, let_pass: Callable[[float], object] = wait) -> Callable[..., Iterable[bytes]]:
    """Return the application; `let_pass` takes seconds and is what a latency does."""
    app = Flask("sandbox.warehouse", static_folder=None)
    app.url_map.strict_slashes = False
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen
    for part in PARTS:
        app.register_blueprint(part(world))
    wsgi: Any = app.wsgi_app
    return Gate(world, wsgi, let_pass)

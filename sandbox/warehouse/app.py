"""The warehouse as a WSGI application."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from sandbox.warehouse.cartrover.views import cartrover
from sandbox.warehouse.control import control
from sandbox.warehouse.gate import Gate, wait
from sandbox.warehouse.generic.views import generic
from sandbox.warehouse.posting import note_happening
from sandbox.warehouse.threepl.views import threepl
from sandbox.warehouse.world import World

PARTS = (control, cartrover, threepl, generic)


def create_app(world: World, let_pass: Callable[[float], object] = wait) -> Callable[..., Iterable[bytes]]:
    """Return the application; `let_pass` takes seconds and is what a latency does."""
    world.floor.report = lambda happening: note_happening(world, happening)
    app = Flask("sandbox.warehouse", static_folder=None)
    app.url_map.strict_slashes = False
    app.config["PROPAGATE_EXCEPTIONS"] = True  # an error in the sandbox is a bug and must be seen
    for part in PARTS:
        app.register_blueprint(part(world))
    wsgi: Any = app.wsgi_app
    return Gate(world, wsgi, let_pass)

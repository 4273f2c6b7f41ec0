"""The web application: Flask, with the hook address served in front of it."""

from __future__ import annotations

from flask import Flask

from pipeline.settings import Settings
from receiver import health, hooks
from receiver.fast_path import FastPath
from receiver.watch import pages
from receiver.wiring import Wiring, wire


def create_app(settings: Settings, wiring: Wiring | None = None) -> Flask:
    """The application; tests hand in their own wiring."""
    parts = wiring or wire(settings)
    app = Flask("receiver")
    app.register_blueprint(hooks.blueprint(parts.intake))
    app.register_blueprint(
        health.blueprint(parts.writer.condition, parts.watch.pulse.chain if parts.watch else health.unwatched)
    )
    if parts.watch:
        app.register_blueprint(pages.blueprint(parts.watch.scrape.page, parts.watch.token))
    app.wsgi_app = FastPath(app.wsgi_app, parts.intake)  # type: ignore[method-assign] # Flask's documented way
    app.extensions["cratewire"] = parts
    return app

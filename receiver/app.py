"""The web application: hooks in front, then what machines ask for, and behind both the pages for people."""

from __future__ import annotations

from functools import partial

from flask import Flask

from pipeline.settings import Settings
from receiver import health
from receiver.fast_path import FastPath
from receiver.pages.door import Door
from receiver.pages.site import Site
from receiver.watch import pages
from receiver.wiring import Wiring, wire


def create_app(settings: Settings, wiring: Wiring | None = None) -> Flask:
    """The application; tests hand in their own wiring."""
    parts = wiring or wire(settings)
    app = Flask("receiver", static_folder=None)
    app.register_blueprint(
        health.blueprint(parts.writer.condition, parts.watch.pulse.chain if parts.watch else health.unwatched)
    )
    if parts.watch:
        app.register_blueprint(pages.blueprint(parts.watch.scrape.page, parts.watch.token))
    if parts.site:
        app.wsgi_app = Door(app.wsgi_app, paths_of(app), partial(_pages, parts.site), settings.public_url)  # type: ignore[method-assign] # Flask's documented way
    app.wsgi_app = FastPath(app.wsgi_app, parts.intake)  # type: ignore[method-assign] # Flask's documented way
    app.extensions["cratewire"] = parts
    return app


def paths_of(app: Flask) -> frozenset[str]:
    """What this application serves itself: `healthz`, `readyz/hooks` and the like."""
    return frozenset(rule.rule.removeprefix("/").partition("<")[0] for rule in app.url_map.iter_rules())


def _pages(site: Site) -> Flask:
    """The pages, imported when they are first asked for."""
    from receiver.pages.app import create_pages  # noqa: PLC0415 see receiver.pages.door

    return create_pages(site)

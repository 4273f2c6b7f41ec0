"""The web application: hooks in front, then what machines ask for, and behind both the pages for people."""

from __future__ import annotations

from functools import partial

from flask import Flask

from pipeline.context import Context
from pipeline.settings import Settings
from receiver import health
from receiver.hooks.build import WebComponents, build_components
from receiver.metrics import exposition
from receiver.pages.lazy_app import LazyApp


def create_app(settings: Settings, components: WebComponents | None = None) -> Flask:
    """The application; tests hand in their own wiring."""
    parts = components or build_components(settings)
    app = Flask("receiver", static_folder=None)
    app.register_blueprint(
        health.blueprint(
            parts.writer.get_status,
            parts.monitoring.heartbeat.chain if parts.monitoring else health.get_unwatched_chain,
        )
    )
    if parts.monitoring:
        app.register_blueprint(exposition.blueprint(parts.monitoring.metrics_page.page, parts.monitoring.token))
    if parts.site:
        pages = LazyApp(app.wsgi_app, find_own_paths(app), partial(_build_pages, parts.site), settings.public_url)
        app.wsgi_app = pages  # type: ignore[method-assign] # Flask's documented way
    app.extensions["cratewire"] = parts
    return app


def find_own_paths(app: Flask) -> frozenset[str]:
    """What this application serves itself: `healthz`, `readyz/hooks` and the like."""
    return frozenset(rule.rule.removeprefix("/").partition("<")[0] for rule in app.url_map.iter_rules())


def _build_pages(site: Context) -> Flask:
    """The pages, imported when they are first asked for."""
    from receiver.pages.app import create_pages  # noqa: PLC0415 see receiver.pages.lazy_app

    return create_pages(site)

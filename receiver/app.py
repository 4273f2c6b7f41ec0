"""The Flask application of the web process: health checks and metrics, and behind them the pages and the API."""

from __future__ import annotations

from functools import partial

from flask import Flask

from pipeline.context import Context
from pipeline.settings import Settings
from receiver import health, warehouse_messages
from receiver.hooks.build import WebComponents, build_components
from receiver.metrics import exposition
from receiver.pages.lazy_app import LazyApp


def create_app(settings: Settings, given: WebComponents | None = None) -> Flask:
    """Build the application. Tests pass their own components."""
    components = given or build_components(settings)
    app = Flask("receiver", static_folder=None)
    app.register_blueprint(
        health.blueprint(
            components.writer.get_status,
            components.monitoring.heartbeat.chain if components.monitoring else health.get_unwatched_chain,
        )
    )
    if components.monitoring:
        app.register_blueprint(
            exposition.blueprint(components.monitoring.metrics_page.render, components.monitoring.token)
        )
    if components.pages_context:
        app.register_blueprint(warehouse_messages.blueprint(components.pages_context))
        pages = LazyApp(
            app.wsgi_app,
            find_own_paths(app),
            partial(_build_pages, components.pages_context),
            settings.public_url,
            partial(_build_api, components.pages_context),
        )
        app.wsgi_app = pages  # type: ignore[method-assign] # Flask's documented way
    app.extensions["cratewire"] = components
    return app


def find_own_paths(app: Flask) -> frozenset[str]:
    """Return the paths that this application serves itself: `healthz`, `readyz/hooks` and others."""
    return frozenset(rule.rule.removeprefix("/").partition("<")[0] for rule in app.url_map.iter_rules())


def _build_pages(pages_context: Context) -> Flask:
    """Build the pages; imported at the first page request."""
    from receiver.pages.app import create_pages  # noqa: PLC0415 see receiver.pages.lazy_app

    return create_pages(pages_context)


def _build_api(pages_context: Context) -> Flask:
    """Build the API; imported at the first request to it."""
    from receiver.api.app import create_api  # noqa: PLC0415 see receiver.pages.lazy_app

    return create_api(pages_context)

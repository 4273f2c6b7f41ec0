"""The first visit: what this is, what one needs, how to begin, and a demo shop where trying out is allowed."""

from __future__ import annotations

from flask import render_template

from pipeline.destinations import DESTINATIONS
from pipeline.ledger.engine import reading
from receiver.pages.auth.demo_visitor import find_demo_store
from receiver.pages.db_session import get_context


def show_welcome() -> str:
    """Render the page for visitors who are not logged in."""
    with reading(get_context().engine) as conn:
        demo = find_demo_store(conn)
    is_open = get_context().settings.registration == "open"
    return render_template("welcome.html", is_open=is_open, has_demo=demo is not None, platforms=DESTINATIONS)

"""A hook that could not be read: why, and its bytes."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template

from pipeline.core.hooks import UNREADABLE_TEXTS
from pipeline.core.roles import is_allowed
from pipeline.ledger.engine import reading
from pipeline.ledger.queries.unreadable import UnreadableBytes, UnreadableHook, get_unreadable_hook
from receiver.pages.activity.json_lines import build_json_lines
from receiver.pages.activity.raw_bytes import send_bytes, show_bytes
from receiver.pages.activity.wording import describe_unreadable
from receiver.pages.auth.permissions import list_my_stores, requires
from receiver.pages.db_session import get_context
from receiver.pages.filters import words

blueprint = Blueprint("unreadable", __name__)


@blueprint.get("/activity/unreadable/<int:dead_id>")
@requires("see")
def show(dead_id: int) -> str:
    """Show a hook of the user's stores that could not be read."""
    hook, content = _load(dead_id)
    store = next(store for store in list_my_stores() if store.name == hook.store)
    return render_template(
        "unreadable.html",
        hook=hook,
        store=store,
        can_replay=bool(content.raw or content.query) and is_allowed(store.role, "replay"),
        marks=describe_unreadable(hook),
        reason=UNREADABLE_TEXTS.get(hook.reason, words(hook.reason)),
        detail=build_json_lines(content.detail) if content.detail else None,
        raw=show_bytes(content.raw or (content.query or "").encode()),
    )


@blueprint.get("/activity/unreadable/<int:dead_id>/raw")
@requires("see")
def raw(dead_id: int) -> Response:
    """Send the bytes of such a hook as a file."""
    hook, content = _load(dead_id)
    return send_bytes(content.raw or (content.query or "").encode(), f"hook-{hook.id}")


def _load(dead_id: int) -> tuple[UnreadableHook, UnreadableBytes]:
    with reading(get_context().engine) as conn:
        found = get_unreadable_hook(conn, dead_id)
    if found is None or found[0].store not in {store.name for store in list_my_stores()}:
        abort(404)
    return found

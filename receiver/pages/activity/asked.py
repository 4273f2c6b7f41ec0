"""What the store's API says now about the object of an event: asked by a worker, shown when the answer is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from pipeline.ledger.engine import reading
from pipeline.ledger.queries import EventDetail
from pipeline.lookups.asked import find_asked_object, load_answer, request_answer
from receiver.pages.activity.event import load_my_event
from receiver.pages.activity.json_lines import build_json_lines
from receiver.pages.auth.permissions import requires
from receiver.pages.db_session import get_context

blueprint = Blueprint("asked", __name__)

MAX_DIFFERENCES = 50


def build_asked(event_id: int, detail: EventDetail) -> dict[str, Any]:
    """What a page shows of the question about an event: whether one can ask, the answer, and where it differs."""
    context = get_context()
    with reading(context.engine) as conn:
        can_ask = find_asked_object(conn, event_id) is not None
    asked = load_answer(context.redis, event_id)
    answer = asked.answer if asked else None
    differs = find_differences(detail.data, answer) if answer is not None else {}
    shown = None if answer is None else build_json_lines(answer, differs)
    return {"event_id": event_id, "can_ask": can_ask, "asked": asked, "answer": shown, "differs": differs}


def find_differences(hook: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str]:
    """Path of a plain value that both have -> what to say where they differ."""
    found: dict[str, str] = {}
    _compare(hook, answer, "", found)
    return found


def _compare(hook: Any, answer: Any, path: str, found: dict[str, str]) -> None:
    if len(found) >= MAX_DIFFERENCES:
        return
    if isinstance(hook, Mapping) and isinstance(answer, Mapping):
        for key in hook.keys() & answer.keys():
            _compare(hook[key], answer[key], f"{path}.{key}" if path else str(key), found)
    elif not isinstance(hook, Mapping | list) and not isinstance(answer, Mapping | list) and hook != answer:
        found[path] = "differs from the hook"


@blueprint.post("/activity/<int:event_id>/ask")
@requires("see")
def ask(event_id: int) -> ResponseReturnValue:
    """Ask Cratejoy about the object of an event of the user's stores."""
    load_my_event(event_id)
    context = get_context()
    with reading(context.engine) as conn:
        if find_asked_object(conn, event_id) is None:
            abort(404)
    request_answer(context.redis, event_id, context.now())
    return redirect(url_for("activity.event", event_id=event_id, _anchor="asked"))


@blueprint.get("/activity/<int:event_id>/asked")
@requires("see")
def show(event_id: int) -> str:
    """Render the answer, or that it is still waited for."""
    _, detail = load_my_event(event_id)
    return render_template("event_asked.html", **build_asked(event_id, detail))

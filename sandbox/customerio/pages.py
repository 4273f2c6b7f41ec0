"""The HTML pages: people, a person, the activity log and the calls. They change nothing."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader

from sandbox.customerio.events import US_PER_S
from sandbox.customerio.http_messages import Answer, Request, page
from sandbox.customerio.people import Identifier, Person
from sandbox.customerio.state import State
from sandbox.customerio.workspace import Workspace

PAGE_SIZE = 50
MISSING = "missing.html"
T = TypeVar("T")


def answer_page(state: State, request: Request) -> Callable[[], Answer]:
    """Collect the data of a page and return a function that renders it; it is called without the lock."""
    segments = request.path.strip("/").split("/")
    view = VIEWS.get(segments[0])
    workspace = _workspace(state, request, segments)
    if request.method != "GET" or view is None or workspace is None:
        return lambda: page(404, _TEMPLATES.get_template(MISSING).render(tab=""))
    state.apply_deferred()
    template, content = view(state, workspace, request)
    shared = {
        "tab": segments[0] or "people",
        "workspace": workspace.site_id,
        "workspaces": list(state.workspaces),
        "totals": _totals(state, workspace),
    }
    status = 404 if template == MISSING else 200
    return lambda: page(status, _TEMPLATES.get_template(template).render(**shared, **content))


def _workspace(state: State, request: Request, segments: list[str]) -> Workspace | None:
    named = segments[1] if segments[0] == "people" and len(segments) > 1 else request.query.get("workspace")
    return state.workspaces.get(named) if named else next(iter(state.workspaces.values()), None)


def _totals(state: State, workspace: Workspace) -> Mapping[str, int]:
    return {
        "people": len(workspace.people),
        "events": workspace.event_count,
        "calls": len(state.calls.calls),
        "log": workspace.log.counts.total(),
    }


def _people(_: State, workspace: Workspace, request: Request) -> tuple[str, dict[str, Any]]:
    wanted = request.query.get("q", "").strip().lower()
    matching = (person for person in workspace.people if not wanted or _mentions(person, wanted))
    number, shown, has_more = _page_of(matching, request)
    people = [
        {**person.as_json(), "latest": person.events[-1] if person.events else None, "event_count": len(person.events)}
        for person in shown
    ]
    return "people.html", {"people": people, "q": wanted, "page": number, "has_more": has_more}


def _person(_: State, workspace: Workspace, request: Request) -> tuple[str, dict[str, Any]]:
    cio_id = request.path.strip("/").rpartition("/")[2]
    person = workspace.people.find(Identifier("cio_id", cio_id))
    if person is None:
        return MISSING, {}
    number, shown, has_more = _page_of(reversed(person.events), request)
    content = {"person": person.as_json(), "written": dict(person.written), "events": shown}
    return "person.html", {**content, "page": number, "has_more": has_more, "event_count": len(person.events)}


def _log(_: State, workspace: Workspace, request: Request) -> tuple[str, dict[str, Any]]:
    number, shown, has_more = _page_of(reversed(workspace.log.entries()), request)
    counts = workspace.log.counts.most_common()
    return "log.html", {"entries": shown, "counts": counts, "page": number, "has_more": has_more}


def _calls(state: State, _: Workspace, request: Request) -> tuple[str, dict[str, Any]]:
    number, shown, has_more = _page_of(reversed(state.calls.calls), request)
    return "calls.html", {"calls": [call.as_json() for call in shown], "page": number, "has_more": has_more}


VIEWS: Mapping[str, Callable[[State, Workspace, Request], tuple[str, dict[str, Any]]]] = {
    "": _people,
    "people": _person,
    "log": _log,
    "calls": _calls,
}


def _mentions(person: Person, wanted: str) -> bool:
    return any(wanted in value.lower() for _, value in person.names())


def _page_of(things: Iterable[T], request: Request) -> tuple[int, list[T], bool]:
    text = request.query.get("page", "1")
    number = max(1, int(text)) if text.isdecimal() else 1
    start = (number - 1) * PAGE_SIZE
    shown = list(islice(things, start, start + PAGE_SIZE + 1))
    return number, shown[:PAGE_SIZE], len(shown) > PAGE_SIZE


def _clock(seconds: float) -> str:
    """Return a time as people read it; what lies beyond the calendar stays a number."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def _templates() -> Environment:
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)
    environment.filters["clock"] = _clock
    environment.filters["microclock"] = lambda now: _clock(now / US_PER_S)
    environment.filters["plain"] = lambda value: value if isinstance(value, str) else json.dumps(value)
    environment.filters["pretty"] = lambda content: json.dumps(content, indent=2, ensure_ascii=False)
    return environment


_TEMPLATES = _templates()

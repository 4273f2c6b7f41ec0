"""Paths of Track v1 whose calls are checked and answered as documented and logged, but not stored."""

from collections.abc import Callable
from urllib.parse import unquote

from sandbox.customerio import checked_only
from sandbox.customerio.activity import NOT_HELD
from sandbox.customerio.http_messages import Answer, Request, empty_answer, ok, read_object
from sandbox.customerio.people import from_path
from sandbox.customerio.v1 import PERSON_PATH, refuse
from sandbox.customerio.validation import Problem, check_identifier
from sandbox.customerio.workspace import CallContext

Handler = Callable[[CallContext, Request], Answer]


def put_device(visit: CallContext, request: Request) -> Answer:
    """Accept a device of a person."""
    body = read_object(request.body)
    device = body.get("device") if body else None
    problems = list(checked_only.check_device(device, "id", needs_platform=True))
    return _device(visit, request, "add_device", problems)


def delete_device(visit: CallContext, request: Request) -> Answer:
    """Accept that a device is gone, known or not."""
    return _device(visit, request, "delete_device", [])


def _device(visit: CallContext, request: Request, action: str, problems: list[Problem]) -> Answer:
    who = from_path(unquote(request.path.split("/")[4]))
    problems = [*check_identifier(who.value, "id"), *problems]
    visit.record(who, action, None, visit.workspace.people.find(who), accepted=not problems)
    if problems:
        return refuse(problem.in_v1() for problem in problems)
    visit.note(NOT_HELD, who, action)
    return ok()


def checked(action: str, check: checked_only.Check, answer: Callable[[], Answer] = ok) -> Handler:
    """Return a handler for calls that concern no single person."""

    def handler(visit: CallContext, request: Request) -> Answer:
        body = read_object(request.body)
        problems = [Problem("no_object", "")] if body is None else list(check(body))
        visit.record(action, action, None, None, accepted=not problems)
        if problems:
            return refuse(problem.in_v1() for problem in problems)
        visit.note(NOT_HELD, action)
        return answer()

    return handler


def members(action: str) -> Handler:
    """Return a handler for the members of a manual segment, whose kind of id is in the query."""
    change = checked(action, checked_only.check_members)

    def handler(visit: CallContext, request: Request) -> Answer:
        if request.query.get("id_type", "id") not in checked_only.MEMBER_KINDS:
            return refuse([Problem("member_kind", "id_type").in_v1()])
        return change(visit, request)

    return handler


ROUTES: dict[tuple[str, str], Handler] = {
    ("PUT", PERSON_PATH + "/devices"): put_device,
    ("DELETE", PERSON_PATH + "/devices/{device_id}"): delete_device,
    ("POST", "/api/v1/push/events"): checked("push_event", checked_only.check_push_event),
    ("POST", "/api/v1/metrics"): checked("metric", checked_only.check_metric),
    ("POST", "/api/v1/segments/{segment_id}/add_customers"): members("add_customers"),
    ("POST", "/api/v1/segments/{segment_id}/remove_customers"): members("remove_customers"),
    ("POST", "/api/v1/forms/{form_id}/submit"): checked("form", checked_only.check_form, empty_answer),
}

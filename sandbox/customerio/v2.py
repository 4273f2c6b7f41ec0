"""Track v2: a single operation (`entity`) or many (`batch`), with limits on size and partial failures."""

from collections.abc import Iterator
from typing import Any

from sandbox.customerio.http_messages import Answer, Json, Request, compact, ok, read_json
from sandbox.customerio.limits import BATCH_BYTES, ITEM_BYTES
from sandbox.customerio.operations import perform
from sandbox.customerio.workspace import CallContext

ENTITY_PATH = "/api/v2/entity"
BATCH_PATH = "/api/v2/batch"


def post_entity(visit: CallContext, request: Request) -> Answer:
    """Perform a single operation."""
    if len(request.body) > ITEM_BYTES:
        return _malformed("request body cannot be larger than 32 KB", status=visit.switches.oversize_status)
    try:
        item = read_json(request.body)
    except ValueError:
        return _malformed("request body is not JSON")
    problems = perform(visit, item, may_be_long=False)
    return compact(400, {"errors": [problem.in_v2() for problem in problems]}) if problems else ok()


def post_batch(visit: CallContext, request: Request) -> Answer:
    """Perform many operations; each is accepted or rejected independently."""
    if len(request.body) > BATCH_BYTES:
        return _malformed("request body cannot be larger than 500 KB", status=visit.switches.oversize_status)
    try:
        body = read_json(request.body)
    except ValueError:
        return _malformed("request body is not JSON")
    items = body.get("batch") if isinstance(body, dict) else None
    if not isinstance(items, list):
        return _malformed("batch must be an array", field="batch")
    errors = list(_perform_all(visit, items, may_be_long=len(request.body) > ITEM_BYTES))
    return compact(207, {"errors": errors}) if errors else ok()


ROUTES = {("POST", ENTITY_PATH): post_entity, ("POST", BATCH_PATH): post_batch}


def _perform_all(visit: CallContext, items: list[Any], *, may_be_long: bool) -> Iterator[Json]:
    for index, item in enumerate(items):
        spoiled = index in visit.spoiled
        for problem in perform(visit, item, may_be_long=may_be_long, spoiled=spoiled):
            yield {"batch_index": index, **problem.in_v2()}


def _malformed(message: str, *, field: str = "", status: int = 400) -> Answer:
    return compact(status, {"errors": [{"reason": "invalid", "field": field, "message": message}]})

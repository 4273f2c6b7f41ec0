"""The calls about batches, and the running of their operations."""

import json
from typing import Any
from urllib.parse import parse_qsl

from sandbox.mailchimp.batch import KEPT_S, STATES, Batch
from sandbox.mailchimp.call import Answer, Call, Json, choose_fields, page
from sandbox.mailchimp.list_routes import answer_list_call
from sandbox.mailchimp.problems import Problem, invalid, not_found
from sandbox.mailchimp.results import url_of
from sandbox.mailchimp.world import World

MAX_UNFINISHED = 500
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TOO_MANY_BATCHES = "You have more than 500 pending batches. Please wait until some of them are finished."


def post_batch(world: World, call: Call) -> Answer:
    """Accept operations, which run later and in any order."""
    operations = _read_operations(call.read_object().get("operations"))
    if sum(not batch.is_finished for batch in world.batches.values()) >= MAX_UNFINISHED:
        raise Problem(429, "Too Many Requests", TOO_MANY_BATCHES)
    waiting = list(enumerate(operations))
    world.luck.shuffle(waiting)
    batch = Batch(world.draw_id()[:10], world.now(), len(operations), waiting)
    fault = world.faults.take_batch_fault()
    if fault is not None:
        batch.fault = fault.mode
        batch.fault_code = fault.options.get("code", 500)
        batch.is_processed_in_fault = fault.options.get("processed", False)
    world.batches[batch.id] = batch
    return Answer(200, _show(world, batch))


def list_batches(world: World, call: Call) -> Answer:
    """Return a page of the batches of the last seven days, the newest first."""
    batches = sorted(_kept(world), key=lambda one: one.submitted_at, reverse=True)
    return Answer(200, page(call, "batches", batches, lambda one: _show(world, one)))


def get_batch(world: World, _call: Call, batch_id: str) -> Answer:
    """Return a batch, after it went one state further."""
    batch = _find(world, batch_id)
    for _ in range(world.switches.batch_states_per_poll):
        _advance(world, batch)
    return Answer(200, _show(world, batch))


def delete_batch(world: World, _call: Call, batch_id: str) -> Answer:
    """Stop a batch: what has not run does not."""
    del world.batches[_find(world, batch_id).id]
    return Answer(204)


def _read_operations(operations: Any) -> list[Json]:
    if not isinstance(operations, list) or not operations:
        raise invalid(errors=[("operations", "This value should not be blank.")])
    errors = []
    for number, one in enumerate(operations):
        if not isinstance(one, dict) or one.get("method") not in METHODS:
            errors.append((f"operations.item:{number}.method", f"The method is one of {', '.join(METHODS)}."))
        elif not isinstance(one.get("path"), str) or not one["path"]:
            errors.append((f"operations.item:{number}.path", "This value should not be blank."))
        elif not isinstance(one.get("params", {}), dict):
            errors.append((f"operations.item:{number}.params", "Schema describes object."))
    if errors:
        raise invalid(errors=errors)
    return operations


def _advance(world: World, batch: Batch) -> None:
    if batch.is_finished or (batch.fault == "batch-stuck" and batch.state == "started"):
        return
    batch.state = STATES[STATES.index(batch.state) + 1]
    if batch.state == "started":
        _run(world, batch, len(batch.waiting) // 2)
    elif batch.state == "finalizing":
        _run(world, batch, len(batch.waiting))
    elif batch.is_finished:
        batch.completed_at = world.now()


def _run(world: World, batch: Batch, count: int) -> None:
    for _ in range(count):
        number, operation = batch.waiting.pop(0)
        is_struck = number % 2 == 1  # every second one
        status, content = _run_one(world, batch, operation, is_struck=is_struck)
        batch.done += 1
        batch.errored += status >= 400  # noqa: PLR2004 - what HTTP calls an error
        if batch.fault == "batch-loses-results" and is_struck:
            continue
        named = {"status_code": status, "operation_id": operation.get("operation_id")}
        batch.results.append({**named, "response": "" if content is None else json.dumps(content)})


def _run_one(world: World, batch: Batch, operation: Json, *, is_struck: bool) -> tuple[int, Any]:
    fails = batch.fault == "batch-half-fails" and is_struck
    failure = Problem(batch.fault_code, "Internal Server Error", "An unexpected error occurred.")
    try:
        if fails and not batch.is_processed_in_fault:
            raise failure
        answer = _call(world, operation)
        if fails:
            raise failure
    except Problem as problem:
        return problem.status, problem.as_json("", world.switches.locale)
    return answer.status, answer.content


def _call(world: World, operation: Json) -> Answer:
    path, _, text = operation["path"].partition("?")
    query = dict(parse_qsl(text))
    if operation["method"] == "GET" or world.switches.batch_params_on_writes:
        query |= {name: str(value) for name, value in operation.get("params", {}).items()}
    call = Call(operation["method"], path, query, operation.get("body"))
    answer = answer_list_call(world, call)
    return Answer(answer.status, choose_fields(call, answer.content))


def _show(world: World, batch: Batch) -> Json:
    return batch.as_json(url_of(world, batch.id))


def _kept(world: World) -> list[Batch]:
    return [one for one in world.batches.values() if world.now() - one.submitted_at < KEPT_S]


def _find(world: World, batch_id: str) -> Batch:
    found = next((one for one in _kept(world) if one.id == batch_id), None)
    if found is None:
        raise not_found()
    return found

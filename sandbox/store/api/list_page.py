"""A page of a list: filtered, cut and put into its envelope, or damaged by a fault."""

from collections.abc import Callable, Iterable

from flask import request

from sandbox.store.api import filters, pagination
from sandbox.store.api.responses import BAD_REQUEST, refuse
from sandbox.store.relations import UnknownRelation
from sandbox.store.state import Row
from sandbox.store.world import World

Arguments = list[tuple[str, str]]


def arguments() -> Arguments:
    return list(request.args.items(multi=True))


def page(
    world: World,
    kind: str,
    rows: Iterable[Row],
    given: Arguments,
    dress: Callable[[Row], Row],
    most: int | None = None,
) -> Row:
    """The response of any list. `kind` determines the properties for filters; `dress` formats a row."""
    try:
        window = pagination.parse_window(dict(given), world.switches, most)
        fault = world.faults.take_page_fault(request.path, window.ordinal)
        present = [row for row in rows if not is_gone(world, row)]
        conditions = filters.parse_conditions(given)
        if world.switches.status_filters == "numbers" and not kind.endswith("v1.1"):
            filters.refuse_words(conditions)
        kept = filters.apply_filters(world.state, kind, present, conditions)
        if fault == "gone" and kept:
            world.state.gone.add(kept.pop(0)["id"])
        results, envelope = pagination.build_envelope(kept, window, lambda number: address(world, given, number))
        if fault == "repeated":
            results = [*kept[max(0, window.start - 1) : window.start], *results]
        whole = envelope | {"results": [dress(row) for row in results]}
    except (filters.BadFilter, pagination.BadPage, UnknownRelation) as error:
        refuse(BAD_REQUEST, str(error))
    return apply_page_fault(whole, fault, lambda number: address(world, given, number), window)


def is_gone(world: World, row: Row) -> bool:
    return row["id"] in world.state.gone


def address(world: World, given: Arguments, number: int) -> str:
    """What leads to another page: a query to be put behind the list's URL, or, by a switch, a path or a URL."""
    query = pagination.query(dict(given), number)
    before = {"query": "", "path": request.path, "url": request.base_url}
    return before[world.switches.next_form] + query


def apply_page_fault(whole: Row, fault: str | None, leads_to: Callable[[int], str], window: pagination.Window) -> Row:
    """The page with what the fault does to it. A row that has gone or comes again is dealt with before, in `page`."""
    further, same, first = (leads_to(number) for number in (window.page + 1, window.page, window.base))
    changes: dict[str | None, Row] = {
        "null": {"results": None},
        "empty": {"results": [], "next": further},
        "same_next": {"next": same},
        "first_next": {"next": first},
    }
    changed = whole | changes.get(fault, {})
    if fault == "missing":
        del changed["results"]
    return changed

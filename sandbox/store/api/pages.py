"""One page of a list: filtered, cut and put into its envelope, or spoiled as a fault asks."""

from collections.abc import Callable, Iterable

from flask import request

from sandbox.store.api import filters, paging
from sandbox.store.api.answers import BAD_REQUEST, refuse
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
    """The answer to any list. `kind` says which properties can be filtered by; `dress` shows one row."""
    try:
        kept = filters.keep(world.state, kind, rows, filters.conditions(given))
        results, envelope = paging.page_of(kept, given, world.switches, most)
        return envelope | {"results": [dress(row) for row in results]}
    except (filters.BadFilter, paging.BadPage, UnknownRelation) as error:
        return dict(refuse(BAD_REQUEST, str(error)))

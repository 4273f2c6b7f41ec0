"""Reading: lists and elements of every resource, and the relations that hang from an element."""

from collections.abc import Callable, Iterable
from functools import partial

from flask import Blueprint, Response, request

from sandbox.store import relations, shapes
from sandbox.store.api import list_page
from sandbox.store.api.responses import BAD_REQUEST, NOT_FOUND, answer, refuse
from sandbox.store.relations import RELATIONS, UnknownRelation
from sandbox.store.shop import surveys
from sandbox.store.state import Row
from sandbox.store.webhooks import value_formats
from sandbox.store.world import World

READABLE = (
    "customers", "orders", "subscriptions", "shipments", "shipment_batches", "products", "product_instances",
    "transactions", "inventory", "product_survey_results", "hooks",
)  # fmt: skip
ELEMENTS = (*READABLE, "addresses")


def reads(world: World) -> Blueprint:
    """GET on resources. Other methods on these paths answer 405."""
    blueprint = Blueprint("reads", __name__)
    kinds = ", ".join(READABLE)

    @blueprint.get(f"/v1/<any({kinds}):kind>/")
    def collection(kind: str) -> Response:
        with world.state.lock:
            return answer(listing(world, kind, list(world.state.rows(kind))))

    @blueprint.get(f"/v1/<any({kinds}, addresses):kind>/<int:row_id>/")
    def element(kind: str, row_id: int) -> Response:
        with world.state.lock:
            return answer(render_or_400(world, kind, get_or_404(world, kind, row_id)))

    @blueprint.get("/v1/customers/<int:row_id>/addresses/")
    def addresses(row_id: int) -> Response:
        with world.state.lock:
            get_or_404(world, "customers", row_id)
            return answer(listing(world, "addresses", world.state.of("addresses", "customer_id", row_id)))

    @blueprint.get(f"/v1/<any({kinds}):kind>/<int:row_id>/<name>/")
    def relation(kind: str, row_id: int, name: str) -> Response:
        with world.state.lock:
            row = get_or_404(world, kind, row_id)
            if name not in RELATIONS.get(kind, {}):
                refuse(NOT_FOUND, f"{kind} have no {name}")
            return answer(RELATIONS[kind][name](world.state, row))

    return blueprint


def get_or_404(world: World, kind: str, row_id: int) -> Row:
    row = world.state.find(kind, row_id)
    return (
        row if row is not None and row_id not in world.state.gone else refuse(NOT_FOUND, f"no such object among {kind}")
    )


def listing(world: World, kind: str, rows: Iterable[Row]) -> Row:
    shape = partial(shapes.summary, kind) if world.switches.lists == "summary" else shapes.plain
    return list_page.page(
        world, kind, rows, list_page.arguments(), lambda row: render_with_relations(world, kind, row, shape)
    )


def render_or_400(world: World, kind: str, row: Row) -> Row:
    """An object as a response, or a 400 if the request names a relation that it does not have."""
    try:
        return render_with_relations(world, kind, row)
    except UnknownRelation as error:
        return dict(refuse(BAD_REQUEST, str(error)))


def render_with_relations(world: World, kind: str, row: Row, shape: Callable[[Row], Row] = shapes.plain) -> Row:
    """The object with the requested relations; by default embedded, or as URLs if the switch says so."""
    if kind == "product_survey_results":
        shape = partial(surveys.show_result, world.state)
    text = request.args.get("with")
    names = relations.wanted(kind, text)
    if text is None and world.switches.api_relations == "links":
        return apply_value_switches(world, relations.with_links(kind, row, names, shape))
    return apply_value_switches(world, relations.expand(world.state, kind, row, names, shape))


def apply_value_switches(world: World, body: Row) -> Row:
    """The response with its values formatted as in hooks, if the switch says so."""
    switches = world.switches
    forms = value_formats.ValueFormats(
        switches.dates, switches.money, switches.booleans, switches.sources, invisible=switches.invisible
    )
    return value_formats.apply_formats(body, forms) if switches.api_values else body

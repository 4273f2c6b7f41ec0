"""The control endpoints of the sandbox: faults, switches, people, the life and the truth. Not part of Cratejoy."""

from typing import Any

from flask import Blueprint, Response, request

from sandbox.store.api.fields import integer
from sandbox.store.api.responses import BAD_REQUEST, answer, body, optional_body, refusal
from sandbox.store.faults import Fault
from sandbox.store.simulation.existing_customers import add_existing_customers
from sandbox.store.simulation.plan import SimulationPlan
from sandbox.store.simulation.run import SimulationRunning
from sandbox.store.webhooks.known_people import list_people
from sandbox.store.world import World

CONFLICT = 409


def control(world: World) -> Blueprint:  # noqa: C901 - a series of short views
    blueprint = Blueprint("control", __name__, url_prefix="/_sandbox")
    blueprint.register_error_handler(ValueError, bad_request)
    blueprint.register_error_handler(TypeError, bad_request)

    @blueprint.get("/faults")
    def list_faults() -> Response:
        return answer({"faults": world.faults.listed()})

    @blueprint.post("/faults")
    def add_fault() -> Response:
        world.faults.add(Fault.of(body()))
        return list_faults()

    @blueprint.delete("/faults")
    def clear_faults() -> Response:
        """Remove all faults, or with `?kind=auth` those of a kind. Rows that disappeared between two pages return."""
        world.faults.clear(request.args.get("kind"))
        if not world.faults.listed():
            world.state.gone.clear()
        return list_faults()

    @blueprint.get("/switches")
    def show_switches() -> Response:
        return answer(vars(world.switches))

    @blueprint.post("/switches")
    def set_switches() -> Response:
        world.set_switches(body())
        return show_switches()

    @blueprint.post("/reset")
    def reset() -> Response:
        fields = optional_body()
        world.reset(integer(fields["seed"]) if "seed" in fields else None)
        return answer({"seed": world.options.seed})

    @blueprint.post("/customers")
    def add_customers() -> Response:
        count = integer(body().get("count"))
        with world.state.lock:
            made = add_existing_customers(
                world.state, world.person_generator, world.schedule, world.shop.rng, max(0, count)
            )
        return answer({"count": len(made), "ids": [row["id"] for row in made]}, 201)

    @blueprint.get("/outbox")
    def outbox() -> Response:
        with world.state.lock:
            return answer({"emails": list(world.state.outbox)})

    @blueprint.get("/requests")
    def requests() -> Response:
        return answer({"requests": world.journal.entries()})

    @blueprint.post("/life")
    def start_life() -> Response:
        plan = SimulationPlan.of(body())
        try:
            world.simulation.start(plan)
        except SimulationRunning as error:
            return refusal(CONFLICT, str(error))
        return answer(world.simulation.status(), 202)

    @blueprint.get("/life")
    def show_life() -> Response:
        return answer(world.simulation.status())

    @blueprint.delete("/life")
    def stop_life() -> Response:
        world.simulation.stop()
        return answer(world.simulation.status())

    @blueprint.get("/truth")
    def truth() -> Response:
        with world.state.lock:
            whole_truth = {"store": about(world), "people": list_people(world.state), **world.truth.report()}
        return answer(whole_truth)

    return blueprint


def about(world: World) -> dict[str, Any]:
    switches = world.switches
    return {
        "marketplace_share": switches.marketplace_share,
        "now": world.state.now,
        "seed": world.options.seed,
        "sources": {"marketplace": switches.marketplace_source, "storefront": switches.storefront_source},
        "store_id": switches.store_id,
    }


def bad_request(error: Exception) -> Response:
    return refusal(BAD_REQUEST, str(error))

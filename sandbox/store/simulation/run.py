"""A simulation in the background: the tour, then random actions, until enough hooks were sent."""

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.store import dates
from sandbox.store.fake_people import PersonGenerator
from sandbox.store.shop import customers, inventory
from sandbox.store.shop.shop import Shop
from sandbox.store.simulation import actions
from sandbox.store.simulation.context import SimulationContext
from sandbox.store.simulation.event_tour import EventTour, Step, is_active
from sandbox.store.simulation.existing_customers import add_existing_customers
from sandbox.store.simulation.plan import Pace, SimulationPlan
from sandbox.store.simulation.schedule import Schedule
from sandbox.store.state import State
from sandbox.store.webhooks.dispatcher import DispatchOptions, WebhookDispatcher
from sandbox.store.webhooks.sender_pool import SenderPool
from sandbox.store.webhooks.truth import Truth

SPAN_S = 75 * dates.DAY  # simulated time of a simulation of any length, roughly
HOOKS_PER_NEWCOMER = 10
HOOKS_PER_OLD_SUBSCRIBER = 40  # hooks per existing customer
MAX_EVENTS_PER_ACTION = 25  # events of the longest act
MAX_AHEAD_S = 0.5  # seconds of paced hooks planned in advance
WAIT_TIMEOUT_S = 0.25  # seconds between two checks for a stop


class SimulationRunning(RuntimeError):
    """A store runs only one simulation at a time."""


class Simulation:
    """Runs in its own thread and takes the lock of the state for each act."""

    def __init__(
        self, state: State, dispatcher: WebhookDispatcher, truth: Truth, folk: PersonGenerator, agenda: Schedule
    ) -> None:
        self._state, self._dispatcher, self._truth, self._folk, self._agenda = state, dispatcher, truth, folk, agenda
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._plan: SimulationPlan | None = None
        self._target = 0
        self._failed = False

    def start(self, plan: SimulationPlan) -> None:
        if self.running:
            raise SimulationRunning("a life is running already")
        self._stopped.clear()
        self._plan, self._failed = plan, False
        self._resize_pool(plan)
        self._truth.begin_tally()
        self._target = self._dispatcher.dispatched + plan.hooks
        self._thread = threading.Thread(target=self._run, args=(plan,), name="store-life", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def status(self) -> dict[str, Any]:
        wanted = self._plan.hooks if self._plan else 0
        return {
            "failed": self._failed and not self.running,
            "running": self.running,
            "wanted": wanted,
            **self._truth.counts(),
        }

    def stop(self) -> None:
        self._stopped.set()
        if self._thread:
            self._thread.join()

    def _resize_pool(self, plan: SimulationPlan) -> None:
        """Give the dispatcher as many posting threads as the plan wants."""
        old = self._dispatcher.pool
        if old.shape == (plan.threads, plan.timeout):
            return
        with self._state.lock:
            self._dispatcher.pool = SenderPool(self._truth, old.clock, plan.threads, plan.timeout)
        old.wait_until_done(plan.timeout)
        old.stop()

    def _run(self, plan: SimulationPlan) -> None:
        clock = self._dispatcher.pool.clock
        usual, pace = self._dispatcher.style, Pace(plan.rate, clock)
        self._dispatcher.style = DispatchOptions(
            random.Random(f"{plan.seed} wire"), plan.mix, plan.retries, pace.next_due
        )
        self._failed = True
        try:
            self._live(plan, lambda: pace.ahead(clock()))
            while not self._stopped.is_set() and not self._dispatcher.pool.wait_until_done(WAIT_TIMEOUT_S):
                pass
            self._failed = False
        finally:
            self._dispatcher.style = usual

    def _live(self, plan: SimulationPlan, ahead: Callable[[], float]) -> None:
        scene = self._build_context(plan)
        has_marketplace = bool(self._state.switches.marketplace_share)
        tour: Iterator[Step] = EventTour(has_marketplace, plan.mix.asked_recipient > 0).steps()
        tried = 0
        # An event without a hook is never sent: without this bound a simulation could wait for it forever.
        while self._left() > 0 and tried < 50 * plan.hooks + 1000 and self._may_go_on(ahead):
            with self._state.lock:
                step = next(tour, None)
                if step and step.most <= self._left():
                    self._state.tick(scene.rng.randrange(60, 3600))
                    step.run(scene)
                else:
                    tour = iter(())
                    self._run_next_action(scene, min(MAX_EVENTS_PER_ACTION, max(8, plan.hooks // 8)))
            tried += 1
        self._agenda.forget(actions.RECURRING_ACTIONS)

    def _build_context(self, plan: SimulationPlan) -> SimulationContext:
        rng = random.Random(f"{plan.seed} story")
        shop = Shop(self._state, self._dispatcher, self._folk, rng)
        scene = SimulationContext(shop, self._agenda, rng, plan.mix, max(60, SPAN_S * HOOKS_PER_NEWCOMER // plan.hooks))
        with self._state.lock:
            count = max(8, plan.hooks // HOOKS_PER_OLD_SUBSCRIBER)
            if sum(map(is_active, self._state.rows("subscriptions"))) < count:
                add_existing_customers(self._state, self._folk, self._agenda, rng, count)
            for act in actions.RECURRING_ACTIONS:
                self._agenda.add(scene.later(1), act)
        return scene

    def _left(self) -> int:
        return self._target - self._dispatcher.dispatched

    def _may_go_on(self, ahead: Callable[[], float]) -> bool:
        """Wait, without the lock, until there is something for the life to do."""
        while not self._stopped.is_set():
            wait = ahead() - MAX_AHEAD_S
            if wait > 0:
                self._stopped.wait(min(wait, WAIT_TIMEOUT_S))
            elif self._dispatcher.pool.wait_for_room(WAIT_TIMEOUT_S):
                return True
        return False

    def _run_next_action(self, scene: SimulationContext, long_act: int) -> None:
        """The next entry of the agenda; near the end, only acts with a single event."""
        if self._left() <= long_act:
            run_single_event_action(scene)
            return
        entry = self._agenda.pop()
        if entry:
            self._state.now = max(self._state.now, entry.at)
            actions.ACTIONS[entry.act](scene, entry.subject)


def run_single_event_action(scene: SimulationContext) -> None:
    scene.shop.state.tick(scene.rng.randrange(60, 3600))
    people = list(scene.shop.state.rows("customers"))
    luck = scene.rng.random()
    if luck < 0.4 or not people:  # noqa: PLR2004 - a share, used once
        actions.schedule_customer(scene, customers.register(scene.shop))
    elif luck < 0.7:  # noqa: PLR2004 - as above
        inventory.restock(scene.shop)
    else:
        customers.change_billing(scene.shop, scene.rng.choice(people))

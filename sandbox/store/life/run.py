"""One background life at a time: the tour, then chance, until enough hooks have been told."""

import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.store import dates
from sandbox.store.life import acts
from sandbox.store.life.agenda import Agenda
from sandbox.store.life.before import settle_people
from sandbox.store.life.plan import Pace, Plan
from sandbox.store.life.scene import Scene
from sandbox.store.life.tour import Step, Tour, is_running
from sandbox.store.people import Townsfolk
from sandbox.store.shop import customers, stock
from sandbox.store.shop.desk import Shop
from sandbox.store.state import State
from sandbox.store.telling.firing import Firing
from sandbox.store.telling.herald import Herald, Style
from sandbox.store.telling.truth import Truth

SPAN = 75 * dates.DAY  # simulated time that a life of any length takes, roughly
HOOKS_PER_NEWCOMER = 10
OLD_SUBSCRIBERS = 40  # one customer from before for so many hooks
WINDING_DOWN = 25  # happenings the longest act may make
AHEAD = 0.5  # seconds of paced hooks planned in advance
PATIENCE = 0.25  # seconds between two looks at whether to stop


class LifeIsRunning(RuntimeError):
    """A store has one life at a time."""


class Life:
    """Runs in a thread of its own and takes the state's lock for one act at a time."""

    def __init__(self, state: State, herald: Herald, truth: Truth, folk: Townsfolk, agenda: Agenda) -> None:
        self._state, self._herald, self._truth, self._folk, self._agenda = state, herald, truth, folk, agenda
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._plan: Plan | None = None
        self._target = 0
        self._failed = False

    def start(self, plan: Plan) -> None:
        if self.running:
            raise LifeIsRunning("a life is running already")
        self._stopped.clear()
        self._plan, self._failed = plan, False
        self._reshape(plan)
        self._truth.begin_tally()
        self._target = self._herald.handed_over + plan.hooks
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

    def _reshape(self, plan: Plan) -> None:
        """Give the herald as many posting threads as the plan wants."""
        old = self._herald.firing
        if old.shape == (plan.threads, plan.timeout):
            return
        with self._state.lock:
            self._herald.firing = Firing(self._truth, old.clock, plan.threads, plan.timeout)
        old.wait_until_done(plan.timeout)
        old.stop()

    def _run(self, plan: Plan) -> None:
        clock = self._herald.firing.clock
        usual, pace = self._herald.style, Pace(plan.rate, clock)
        self._herald.style = Style(random.Random(f"{plan.seed} wire"), plan.mix, plan.retries, pace.next_due)
        self._failed = True
        try:
            self._live(plan, lambda: pace.ahead(clock()))
            while not self._stopped.is_set() and not self._herald.firing.wait_until_done(PATIENCE):
                pass
            self._failed = False
        finally:
            self._herald.style = usual

    def _live(self, plan: Plan, ahead: Callable[[], float]) -> None:
        scene = self._set_scene(plan)
        tour: Iterator[Step] = Tour().steps()
        tried = 0
        # An event without a hook is told to nobody: without this bound a life could wait for it forever.
        while self._left() > 0 and tried < 50 * plan.hooks + 1000 and self._may_go_on(ahead):
            with self._state.lock:
                step = next(tour, None)
                if step and step.most <= self._left():
                    self._state.tick(scene.rng.randrange(60, 3600))
                    step.play(scene)
                else:
                    tour = iter(())
                    self._by_chance(scene, min(WINDING_DOWN, max(8, plan.hooks // 8)))
            tried += 1
        self._agenda.forget(acts.ENDLESS)

    def _set_scene(self, plan: Plan) -> Scene:
        rng = random.Random(f"{plan.seed} story")
        shop = Shop(self._state, self._herald, self._folk, rng)
        scene = Scene(shop, self._agenda, rng, plan.mix, max(60, SPAN * HOOKS_PER_NEWCOMER // plan.hooks))
        with self._state.lock:
            count = max(8, plan.hooks // OLD_SUBSCRIBERS)
            if sum(map(is_running, self._state.rows("subscriptions"))) < count:
                settle_people(self._state, self._folk, self._agenda, rng, count)
            for act in acts.ENDLESS:
                self._agenda.add(scene.later(1), act)
        return scene

    def _left(self) -> int:
        return self._target - self._herald.handed_over

    def _may_go_on(self, ahead: Callable[[], float]) -> bool:
        """Wait, without the lock, until there is something for the life to do."""
        while not self._stopped.is_set():
            wait = ahead() - AHEAD
            if wait > 0:
                self._stopped.wait(min(wait, PATIENCE))
            elif self._herald.firing.wait_for_room(PATIENCE):
                return True
        return False

    def _by_chance(self, scene: Scene, long_act: int) -> None:
        """The next entry of the agenda; near the end, only what tells one thing at a time."""
        if self._left() <= long_act:
            quiet_act(scene)
            return
        entry = self._agenda.pop()
        if entry:
            self._state.now = max(self._state.now, entry.at)
            acts.ACTS[entry.act](scene, entry.subject)


def quiet_act(scene: Scene) -> None:
    scene.shop.state.tick(scene.rng.randrange(60, 3600))
    people = list(scene.shop.state.rows("customers"))
    luck = scene.rng.random()
    if luck < 0.4 or not people:  # noqa: PLR2004 - a share, used once
        acts.plan_person(scene, customers.register(scene.shop))
    elif luck < 0.7:  # noqa: PLR2004 - as above
        stock.deliver(scene.shop)
    else:
        customers.change_billing(scene.shop, scene.rng.choice(people))

"""What goes wrong between the two sides, and with our workers."""

from __future__ import annotations

from typing import Any

from bench.year.hands import Hands, NothingToDo, choose
from bench.year.plan import Step
from bench.year.wire import Blow
from bench.year.world import DAY, FLOOR, HOUR, MINUTE, OUR_HOST, SHOP, STORE_HOST, WAREHOUSE_HOST

CUTS = ("drop_after_commit", "drop_after_commit", "drop_before_commit")
_HOSTS = {"store_away": STORE_HOST, "warehouse_away": WAREHOUSE_HOST, "we_are_away": OUR_HOST}
FAILURES = (500, 502, 503)
# The requests whose answers are lost: those that change something, and those that ask.
_REQUESTS = {
    "cartrover": ("POST /cartrover", "GET /cartrover"),
    "extensiv_3pl": ("POST /3pl", "GET /3pl/orders"),
    "signed_webhook": ("POST /generic", "GET /generic"),
}


class Trouble(Hands):
    """Networks, servers, keys, rates and workers that fail."""

    def store_away(self, step: Step) -> None:
        self._take_away("store_away", choose((HOUR, 5 * HOUR, 30 * HOUR), step.how))

    def store_away_for_weeks(self, step: Step) -> None:
        """`how`: for so many days."""
        self._take_away("store_away", step.how * DAY)

    def warehouse_away(self, step: Step) -> None:
        self._take_away("warehouse_away", choose((HOUR, 5 * HOUR, 30 * HOUR), step.how))

    def warehouse_away_for_weeks(self, step: Step) -> None:
        """`how`: for so many days."""
        self._take_away("warehouse_away", step.how * DAY)

    def _take_away(self, side: str, seconds: float) -> None:
        if side == "warehouse_away":
            self._require_calls()
        self.year.wire.away.add(_HOSTS[side])
        self.truth.outages.append((side, seconds))
        self.ends[side] = max(self.ends.get(side, 0.0), self.year.now + seconds)

    def store_fails(self, step: Step) -> None:
        self._fault_of_store(status=choose(FAILURES, step.how))
        self.ends["store_fails"] = self.year.now + choose((HOUR, 9 * HOUR), step.who)

    def warehouse_fails(self, step: Step) -> None:
        """It answers with an error, having done what it was asked, or not."""
        self._require_calls()
        self._fault_of_warehouse(status=choose(FAILURES, step.how), after_commit=step.how % 2 == 1, times=None)
        self.ends["warehouse_fails"] = self.year.now + choose((HOUR, 9 * HOUR), step.who)

    def lose_answer_of_store(self, step: Step) -> None:
        """The next writing is done, or not, and its answer is lost."""
        cut = choose(CUTS, step.how)
        self._fault_of_store(method="PUT" if step.who % 4 else "GET", times=1, **{cut: True})

    def lose_answer_of_warehouse(self, step: Step) -> None:
        self._require_calls()
        cut = choose(CUTS, step.how)
        match = _REQUESTS[self.year.adapter][0 if step.who % 4 else 1]
        self._fault_of_warehouse(match=match, times=1 + step.who % 2, **{cut: True})

    def refuse_keys_of_warehouse(self, step: Step) -> None:
        self._require_calls()
        self._fault_of_warehouse(status=401, times=2 + step.how % 4)
        self.ends["keys"] = self.year.now + 7 * HOUR

    def limit_warehouse(self, step: Step) -> None:
        self._require_calls()
        self.year.rate_limits = 1 + step.how % 5

    def limit_store(self, step: Step) -> None:
        self._fault_of_store(status=429, retry_after=30, times=1 + step.how % 3)

    def lose_messages_of_warehouse(self, step: Step) -> None:
        """The next messages are lost, or taken in and their answers lost; they are sent again."""
        self._require_pushes()
        self.year.lost_pushes += ["after" if step.who % 2 else "before"] * (1 + step.how % 3)

    def we_are_away(self, step: Step) -> None:
        """The address that takes messages does not answer, for less time than they are sent again."""
        self._require_pushes()
        self._take_away("we_are_away", choose((MINUTE, HOUR, 4 * HOUR), step.how))

    def _require_calls(self) -> None:
        if self.year.exchanges_files:
            raise NothingToDo

    def _require_pushes(self) -> None:
        if not self.year.is_pushed:
            raise NothingToDo

    def kill(self, step: Step) -> None:
        """The worker dies at one of the next calls, before it is made or after it was answered."""
        self.year.wire.blow = Blow(step.who % 12, step.how % 2 == 0)

    def _fault_of_store(self, **fault: Any) -> None:
        self.year.wire.control("POST", f"{SHOP}/faults", {"prefix": "/v1"} | fault)

    def _fault_of_warehouse(self, **fault: Any) -> None:
        self.year.wire.control("POST", f"{FLOOR}/faults", fault)

    def end(self, name: str) -> None:
        year, (kind, _, number) = self.year, name.partition(" ")
        self.ends.pop(name)
        if kind == "hold":
            order = year.floor.floor.orders[int(number)]
            if order.held_at is not None:
                year.floor.floor.release(order)
        if kind in _HOSTS:
            year.wire.away.discard(_HOSTS[kind])
        if kind == "store_fails":
            year.store.faults.clear("status")
        if kind in ("warehouse_fails", "keys"):
            year.floor.faults.clear()
            self.resume()

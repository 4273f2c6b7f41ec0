"""Random histories of a store, and the place of each hook as a plain look at all rows finds it."""

from __future__ import annotations

from collections import Counter
from random import Random

from pipeline.core.messages import Rejected, RetryAfter, Sent
from pipeline.ledger.counts.fold import fold_changes
from pipeline.ledger.deliveries import acquire_lane, claim, settle, stop_pending
from pipeline.ledger.engine import writing
from pipeline.ledger.schema import core
from pipeline.ledger.stores import find_store
from pipeline.operations.replay import replay_delivery
from pipeline.operations.retention import DAY_US
from pipeline.regulations.erase import Eraser, ErasureRequest
from tests.builders import HOUR, NOW, gift_info, gift_order, order, subscription

STOREFRONT, MARKETPLACE = 1, 2
EVENT_PLACES = {"dead": "refused", "pending": "waiting", "sending": "waiting", "sent": "sent", "withheld": "withheld"}
WORST_FIRST = ("refused", "waiting", "sent", "withheld", "kept")


class History:
    """Does one thing after another to a shop, and remembers where hooks were whose rows were deleted."""

    def __init__(self, shop, random: Random):
        self.shop, self.random = shop, random
        self.hours = 0
        self.sent_hooks, self.dead = [], []  # hooks that can be repeated; dead ones
        self.deleted = Counter()  # (hour, place) of hooks whose rows are gone
        self.repeats = Counter()  # hour -> hooks that were repeats
        self.repeated = set()  # (event id, hour)
        self.recovered = Counter()
        shop.recorder.change_store(marketplace_sources=["2"], storefront_sources=["1"])
        self.eraser = Eraser(shop.engine, ("a-secret-key",), random, lambda: self.now)

    @property
    def now(self):
        return NOW + self.hours * HOUR

    def do(self, name):
        getattr(self, name)()

    # What can happen.

    def receive(self):
        number = self.random.randrange(1000, 9999)
        who = {"id": number % 5 + 1, "email": f"p{number % 5}@example.com", "name": "P", "first_name": "P"}
        bodies = (
            ("order_new", order(id=number, customer=who, customer_id=who["id"], source=STOREFRONT)),
            ("order_new", order(id=number, customer=who, customer_id=who["id"], source=STOREFRONT)),
            ("order_new", order(id=number, customer=who, customer_id=who["id"])),
            ("order_new", order(id=number, customer=who, customer_id=who["id"], source=MARKETPLACE)),
            ("order_new", order(id=number, customer={**who, "email": None}, customer_id=who["id"])),
            ("order_new", order(id=number, customer=who, customer_id=who["id"], is_test=True)),
            ("gift_claimed", {"id": number}),
            ("order_new", gift_order(id=number, customer=who, source=STOREFRONT)),
            ("subscription_new", subscription(id=number % 7, customer={**who, "email": None}, source=STOREFRONT)),
            (
                "subscription_updated",
                subscription(
                    id=number % 7,
                    customer=who,
                    status=str(number),
                    is_gift=True,
                    subscription_gift_info=gift_info(),
                    source=STOREFRONT,
                ),
            ),
        )
        hook = self.shop.hook(*self.random.choice(bodies), at=self.now - self.random.randrange(3) * HOUR)
        self._record(hook)
        self.sent_hooks.append(hook)

    def recover(self):
        number = self.random.randrange(1000, 9999)
        hook = self.shop.hook("order_new", order(id=number, source=STOREFRONT), at=self.now, source="reconcile")
        self.recovered[self.now // HOUR] += self._record(hook).events
        self.sent_hooks.append(hook)

    def repeat(self):
        if self.sent_hooks:
            first = self.random.choice(self.sent_hooks)
            times = self.random.randrange(1, 3)
            again = [self.shop.hook(first["event"], first["data"], at=self.now) for _ in range(times)]
            again = [{**hook, "fingerprint": first["fingerprint"]} for hook in again]
            self._record(*again)

    def retry(self):
        """The same receipt again is our own retry."""
        if self.sent_hooks:
            self._record(self.random.choice(self.sent_hooks))

    def die(self):
        hook = self.shop.hook("order_new", order(id=self.random.randrange(1000, 9999), source=STOREFRONT), at=self.now)
        self.dead.append(hook)
        self.shop.record(failed=[_fail(hook)], at=self.now)

    def die_again(self):
        if self.dead:
            self.shop.record(failed=[_fail(self.random.choice(self.dead))], at=self.now)

    def revive(self):
        if self.dead:
            hook = self.dead.pop(self.random.randrange(len(self.dead)))
            self._record({**hook, "source": "replay"})

    def send(self):
        with writing(self.shop.engine) as conn:
            held = acquire_lane(conn, 1, 0, self.now)
            messages = claim(conn, held, self.random.randrange(1, 8))
            outcomes = (Sent(()), Sent(()), Rejected("bad"), RetryAfter(1.0, "busy"))
            settle(conn, held, [(one.delivery_id, self.random.choice(outcomes)) for one in messages], [], self.now)

    def send_again(self):
        dead = [row.id for row in self.shop.rows(core.Delivery) if row.status == "dead"]
        if dead:
            with writing(self.shop.engine) as conn:
                replay_delivery(conn, self.random.choice(dead), self.now)

    def withhold(self):
        people = [row.id for row in self.shop.rows(core.Person)]
        if people:
            with writing(self.shop.engine) as conn:
                stop_pending(conn, {self.random.choice(people): "withheld_marketplace"}, self.now)

    def erase(self):
        with writing(self.shop.engine) as conn:
            store = find_store(conn, "acme")
        people = [row.email for row in self.shop.rows(core.Person) if row.email]
        if people:
            self.eraser.erase(ErasureRequest(store, self.random.choice(people)))

    def fold(self):
        with writing(self.shop.engine) as conn:
            fold_changes(conn)

    def grow_old(self):
        """Retention deletes what is older than a day; what it deletes is remembered where it was."""
        before = self.find_places()
        self.hours += 26
        kept = {"keep_events_days": 1, "keep_dead_hooks_days": 1}
        self.shop.sweep((self.now - NOW) / DAY_US, **kept)
        left = {row.receipt for model in (core.Event, core.DeadHook) for row in self.shop.rows(model)}
        self.deleted.update(place for receipt, place in before.items() if receipt not in left)
        self.dead = [hook for hook in self.dead if hook["receipt"] in left]
        self.sent_hooks = [hook for hook in self.sent_hooks if hook["receipt"] in left]

    def wait(self):
        self.hours += 1

    # What is so.

    def find_places(self):
        """Receipt -> (hour, place) of every hook that has a row."""
        states = {}
        for row in self.shop.rows(core.Delivery):
            states.setdefault(row.event_id, set()).add(EVENT_PLACES.get(row.status, "kept"))
        found = {
            row.receipt: (row.received_at // HOUR, _place_event(row.outcome, states.get(row.id, set())))
            for row in self.shop.rows(core.Event)
        }
        dead = [row for row in self.shop.rows(core.DeadHook) if row.replayed_at is None]
        return found | {row.receipt: (row.received_at // HOUR, "unreadable") for row in dead}

    def count(self, first, end):
        """Place -> how many hooks, received from one hour to before another."""
        places = Counter(self.find_places().values()) + self.deleted
        found = Counter()
        for (hour, place), number in places.items():
            found[place] += number if first <= hour < end else 0
        for name, by_hour in (("repeats", self.repeats), ("recovered", self.recovered)):
            found[name] += sum(number for hour, number in by_hour.items() if first <= hour < end)
        return found

    def count_rows(self, first, end):
        """Place -> how many of its hooks have a row, and how many events with a row were repeated."""
        found = Counter(place for hour, place in self.find_places().values() if first <= hour < end)
        events = {row.id: row for row in self.shop.rows(core.Event)}
        found["recovered"] = sum(
            row.source == "reconcile" and first <= row.received_at // HOUR < end for row in events.values()
        )
        found["repeats"] = len({event_id for event_id, hour in self.repeated if first <= hour < end} & events.keys())
        return {place: number for place, number in found.items() if number}

    def _record(self, *hooks):
        result = self.shop.record(*hooks, at=self.now)
        for hook in hooks:
            if hook["receipt"] in result.repeats:
                first = result.repeats[hook["receipt"]]
                own = {row.id: row.receipt for row in self.shop.rows(core.Event)}.get(first)
                if own != hook["receipt"]:
                    self.repeats[hook["received_at"] // HOUR] += 1
                    self.repeated.add((first, hook["received_at"] // HOUR))
        return result


OPERATIONS = (
    *("receive", "receive", "receive", "recover", "repeat", "retry", "die", "die_again", "revive", "send", "send"),
    *("send", "send_again", "withhold", "erase", "fold", "grow_old", "wait"),
)


def _place_event(outcome, states):
    if outcome != "forwarded":
        return "withheld" if outcome == "withheld" else "kept"
    return next(place for place in WORST_FIRST if place in states)


def _fail(hook):
    head = ("entry_id", "receipt", "store", "version", "event", "received_at", "source")
    return {**{key: hook[key] for key in head}, "stage": "decode", "reason": "not_json", "detail": {}}

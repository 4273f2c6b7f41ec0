"""Boxes go out, some are cancelled, parcels come back, while a fault strikes; then everything is counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from bench.chaos.boxes.counting import ENDS, NOWHERE, BoxCounts, Sold, count_boxes
from bench.chaos.boxes.shops import GIFT, Shop, Shops, open_shops
from bench.chaos.fault_run import FaultRun

SHIP_S = 1.0  # the warehouse packs and ships a box in this time, once it has begun to
HURRY_INTERVAL_S = 2.0
STALL_TIMEOUT_S = 120.0  # without any progress nothing more is to be expected
OTHERS = 3  # boxes that are cancelled in time, and so many too late


@dataclass(frozen=True, slots=True)
class Strike:
    """What strikes. `once`: at the beginning of a stage; `again`: several times while it is under way.

    A stage is `send`, `cancel` or `confirm`. `check` sees at the end that it has struck.
    """

    once: Callable[[BoxRun, str], None] = lambda _run, _stage: None
    again: Callable[[BoxRun], None] | None = None
    pause_s: tuple[float, float] = (2.0, 5.0)
    check: Callable[[BoxRun], None] = lambda _run: None
    times: tuple[int, int] = (3, 1)  # in a stage: in the full form, and in the short one


@dataclass
class BoxRun:
    """The boxes of one fault. `sold`: by kind of warehouse."""

    scene: FaultRun
    shops: Shops
    sold: dict[str, Sold] = field(default_factory=dict)
    struck: int = 0

    def pairs(self) -> Iterator[tuple[Shop, Sold]]:
        """Each shop with what it has sold."""
        return ((shop, self.sold[shop.adapter]) for shop in self.shops.all)


def play_boxes(scene: FaultRun, strike: Strike) -> None:
    """Sell boxes, strike in each of three stages, and have everything counted when it has settled."""
    here = scene.here
    here.shops = here.shops or open_shops(here, here.wrong_release)
    run = BoxRun(scene, here.shops)
    run.shops.control("switches", {"auto_ship_s": None, "refuse_duplicates": False})
    took: list[str] = []
    for stage, (begin, count_left) in STAGES.items():
        began = time.monotonic()
        strike.once(run, stage)
        prepared = run.shops.count_faults()
        begin(run)
        _strike_again(run, strike)
        _wait(run, count_left)
        run.struck += prepared - run.shops.count_faults()
        run.shops.mend()
        took.append(f"{stage} {time.monotonic() - began:.0f} s")
    strike.check(run)
    if not run.struck:
        scene.add_failure("nothing struck")
    scene.note(f"{', '.join(took)}; struck {run.struck} times")
    scene.checks.append(lambda: _count(run))


def _strike_again(run: BoxRun, strike: Strike) -> None:
    if strike.again is None:
        return
    for _ in range(run.scene.times(*strike.times)):
        time.sleep(run.scene.rng.uniform(*strike.pause_s))
        strike.again(run)
        run.struck += 1


def _sell(run: BoxRun) -> None:
    """Boxes, gifts and a single item; and what must not go out: unpaid, a test, cancelled while they go out."""
    count = run.scene.times(16, 4)
    for shop in run.shops.all:
        owed = [*shop.sell(count), *shop.sell(2, gift=GIFT), *shop.sell(2, billing="ecom")]
        at_once, in_time, too_late = (shop.sell(OTHERS) for _ in range(3))
        not_owed = [*shop.sell(1, is_paid=False), *shop.sell(1, is_test=True)]
        shop.cancel(at_once)
        run.sold[shop.adapter] = Sold(owed, in_time, too_late, not_owed, at_once)


def _are_sent(run: BoxRun) -> int:
    """How many boxes are not at the warehouse."""
    return sum(
        len({str(number) for number in [*sold.owed, *sold.in_time, *sold.too_late]} - _list_sent(run, shop))
        for shop, sold in run.pairs()
    )


def _list_sent(run: BoxRun, shop: Shop) -> set[str]:
    return {order["shipment"] for order in run.shops.orders(shop)}


def _cancel(run: BoxRun) -> None:
    """The warehouse has begun with some; those and others are cancelled at the store."""
    for shop, sold in run.pairs():
        run.shops.pick(shop, sold.too_late)
        shop.cancel([*sold.in_time, *sold.too_late])


def _are_cancelled(run: BoxRun) -> int:
    """How many boxes the warehouse would still send although they were cancelled in time."""
    left = 0
    for shop, sold in run.pairs():
        wanted = {str(number) for number in [*sold.in_time, *sold.at_once]}
        left += sum(order["shipment"] in wanted and order["stage"] != "cancelled" for order in run.shops.orders(shop))
    return left


def _ship(run: BoxRun) -> None:
    run.shops.control("switches", {"auto_ship_s": SHIP_S})


def _are_settled(run: BoxRun) -> int:
    """How many boxes have not come to the end that is theirs."""
    left = 0
    for shop, sold in run.pairs():
        states = run.shops.states(shop, sold)
        left += sum(states.get(number, NOWHERE) not in ENDS[sold.group_of(number)] for number in sold.everything)
    return left


# Stage -> how it begins, and how many boxes it still waits for.
STAGES: Mapping[str, tuple[Callable[[BoxRun], None], Callable[[BoxRun], int]]] = {
    "send": (_sell, _are_sent),
    "cancel": (_cancel, _are_cancelled),
    "confirm": (_ship, _are_settled),
}


def _wait(run: BoxRun, count_left: Callable[[BoxRun], int]) -> None:
    """Wait until nothing is left, or nothing moves any more; meanwhile time is made to pass."""
    least, since, hurried = 1_000_000, time.monotonic(), 0.0
    while time.monotonic() - since < STALL_TIMEOUT_S:
        with suppress(SQLAlchemyError):  # the database is away
            if not (left := count_left(run)):
                return
            if left < least:
                least, since = left, time.monotonic()
            if time.monotonic() - hurried > HURRY_INTERVAL_S:
                run.shops.hurry()
                hurried = time.monotonic()
        time.sleep(0.25)
    run.scene.note(f"{least} boxes did not move for {STALL_TIMEOUT_S:.0f} s")


def _count(run: BoxRun) -> None:
    """The figures of each shop, and their sum for the row."""
    total = BoxCounts()
    for shop, sold in run.pairs():
        counts = count_boxes(sold, shop.shipments(), run.shops.orders(shop), run.shops.states(shop, sold))
        run.scene.note(f"{shop.adapter}: {counts.describe()}")
        total.add(counts)
    run.scene.row.boxes = total

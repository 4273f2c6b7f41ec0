"""`python -m bench.year`: a year of a store for each kind of warehouse, with all that goes wrong in one."""

from __future__ import annotations

import json
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings

from bench.year.plan import EVERYTHING, HEALTHY, YEAR_GAPS_S, Step, add_long_outages, draw_steps
from bench.year.play import Outcome, Span, play
from bench.year.world import YEARS, find_memory
from pipeline.ledger.engine import make_engine
from pipeline.ledger.migrations import migrate

RIGHT_SHARE, FEW_FORECASTS = 0.95, 40
KINDS = {"healthy": HEALTHY, "broken": EVERYTHING}
HEADS = (
    *("warehouse", "year", "days", "boxes", "orders", "shipped", "e-mails", "kills", "people"),
    *("forecast", "wrong", "seconds"),
)
WIDTHS = (16, 9, 6, 7, 8, 9, 9, 7, 8, 10, 7, 9)


@click.command()
@click.option("--adapter", type=click.Choice(YEARS), multiple=True, help="Only these warehouses.")
@click.option("--kind", type=click.Choice(list(KINDS)), multiple=True, help="Only healthy or broken years.")
@click.option("--steps", default=500, show_default=True, help="Things that may happen in a year, about one a day.")
@click.option("--days", default=365, show_default=True, help="How long a year is.")
@click.option("--years", default=1, show_default=True, help="Of each warehouse and kind.")
@click.option("--seed", "number", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of the table.")
def main(  # noqa: PLR0913 - the options
    adapter: Sequence[str], kind: Sequence[str], steps: int, days: int, years: int, number: int, *, as_json: bool
) -> None:
    """Exit with 0 only if every box went out once, to its own address, nothing is stuck, and forecasts were right."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    beside = sys.stderr if as_json else sys.stdout
    print(_line(HEADS), file=beside)
    outcomes: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=find_memory()) as folder:
        empty = Path(folder) / "empty.db"
        migrate(f"sqlite:///{empty}")
        for one in adapter or YEARS:
            for of in kind or KINDS:
                for outcome, seconds in _live(empty, one, of, (steps, days, years, number)):
                    print(_line(_cells(outcome, of, seconds)), file=beside, flush=True)
                    if not outcome.holds:
                        print(outcome.explain(), file=beside)
                    outcomes.append(outcome.as_json() | {"kind": of, "seconds": round(seconds, 1)})
    if as_json:
        print(json.dumps(outcomes, indent=2))
    sys.exit(0 if outcomes and all(one["holds"] for one in outcomes) and _are_forecasts_right(outcomes) else 1)


def _are_forecasts_right(outcomes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether enough of all forecasts of these years were right; of a few, chance decides."""
    counts = [pair for one in outcomes for pair in one["forecasts"].values()]
    right, of = (sum(pair[place] for pair in counts) for place in (0, 1))
    print(f"{right} of {of} forecasts had the batch in their range", file=sys.stderr)
    return bool(of < FEW_FORECASTS or right >= RIGHT_SHARE * of)


def _live(empty: Path, adapter: str, kind: str, of: tuple[int, int, int, int]) -> list[tuple[Outcome, float]]:
    """So many years, as Hypothesis draws them from this seed. `of`: steps, days, years and seed."""
    length, days, years, number = of
    span = Span(days, is_healthy=kind == "healthy")
    lived: list[tuple[Outcome, float]] = []
    drawn = draw_steps(KINDS[kind], length, length, YEAR_GAPS_S)

    @seed(number)
    @settings(
        max_examples=years,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def live(plan: list[Step]) -> None:
        steps = plan if span.is_healthy else add_long_outages(plan)
        path = empty.with_name(f"{adapter}-{kind}-{len(lived)}.db")
        shutil.copy(empty, path)
        engine, began = make_engine(f"sqlite:///{path}"), time.monotonic()
        try:
            lived.append((play(engine, adapter, steps, span), time.monotonic() - began))
        finally:
            engine.dispose()
            path.unlink()

    live()
    return lived


def _cells(outcome: Outcome, kind: str, seconds: float) -> tuple[str, ...]:
    counts = (outcome.boxes, outcome.orders, outcome.shipped, outcome.emails, outcome.kills)
    people = sum(outcome.for_people.values())
    ends = (f"{people}", "{}/{}".format(*outcome.forecast), f"{len(outcome.wrong)}", f"{seconds:.0f}")
    return (outcome.adapter, kind, f"{outcome.days:.0f}", *map(str, counts), *ends)


def _line(texts: Sequence[str]) -> str:
    return "".join(
        f"{text:<{width}}" if place < 2 else f"{text:>{width}}"  # noqa: PLR2004 the first two are words
        for place, (text, width) in enumerate(zip(texts, WIDTHS, strict=True))
    )


if __name__ == "__main__":
    main()

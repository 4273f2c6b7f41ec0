"""`python -m bench.fulfilment`: boxes to one warehouse or several, as many and for as long as is asked for."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import structlog

from bench.fulfilment.measure import measure
from bench.fulfilment.report import report
from bench.fulfilment.scenario import FULL, WAYS
from bench.machine import describe_machine


@click.command()
@click.option("--way", "ways", multiple=True, type=click.Choice(list(WAYS)), help="Only these; all, if none is named.")
@click.option("--boxes", default=2_000, show_default=True, help="Boxes of each way.")
@click.option("--seconds", default=120.0, show_default=True, help="Of each way, at most, beside the turns.")
@click.option("--turns", default=2, show_default=True, help="Of live hooks without boxes and beside them.")
@click.option("--turn-s", default=20, show_default=True, help="Seconds of a turn.")
@click.option("--latency-ms", default=FULL.latency_ms, show_default=True, help="Of each answer of the warehouse.")
@click.option("--json", "place", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures here too.")
def main(  # noqa: PLR0913 - one option each
    *, ways: tuple[str, ...], boxes: int, seconds: float, turns: int, turn_s: int, latency_ms: int, place: Path | None
) -> None:
    """The exit code is 0 only if no box went twice and none was lost."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    script = replace(FULL, boxes=boxes, seconds=seconds, turns=turns, turn_s=turn_s, latency_ms=latency_ms)
    print(describe_machine(), flush=True)
    found: dict[str, Any] = {}
    for way in ways or FULL.ways:
        one = measure(replace(script, ways=(way,)))
        print(*report(one), sep="\n", flush=True)
        found |= one
        if place:
            place.write_text(json.dumps(found, indent=1), encoding="utf-8")
    sys.exit(0 if not any(one["twice"] or one["lost"] for one in found.values()) else 1)


if __name__ == "__main__":
    main()

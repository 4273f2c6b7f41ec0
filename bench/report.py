"""Format figures as lines to compare with the targets. Every ratio has its lowest and highest round."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.measures.large_person import ratios

NAMES = {
    "ours": "Cratewire",
    "everysec": "Cratewire, fsync every second",
    "textbook": "(b) chain of four tasks",
    "one_task": "(c) one late task",
    "node": "(d) Fastify, BullMQ",
    "node_with_ledger": "(e) the same with PostgreSQL",
    "postgresql": "Cratewire on PostgreSQL",
    "bare": "(a) bare Flask",
    "always": "Cratewire, fsync always",
    "in memory": "Cratewire, without a disk",
}


def acknowledge(found: Mapping[str, Any]) -> Iterator[str]:
    syncs = found["sync_ms"]
    yield f"Durable acknowledgements, nothing else running; this disk syncs a hook in {_spread(syncs)} ms"
    for connections, of in found["connections"].items():
        yield f" {connections} connections"
        for name, figures in of.items():
            rate, half, most = (statistics.median(figures[key]) for key in ("per_second", "p50_ms", "p99_ms"))
            failures = f"   failures {figures['failures']}" if figures["failures"] else ""
            yield (
                f"  {_label(name)} {rate:7.0f}/s   p50 {half:6.2f} ms   p99 {most:6.2f} ms   "
                f"CPU {statistics.median(figures['cpu_us']):4.0f} us   of (a): {_spread(figures['ratio'])}{failures}"
            )
    for name, best in found["best"].items():
        yield f"  best of {_label(name)} {best['per_second']:7}/s   of (a)'s best: {best['ratio']}"


def paced(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "Acknowledgement at a given rate, the whole stack at work"
    for row in rows:
        yield (
            f"  {row['per_second']}/s for {row['seconds']} s: "
            f"p50 {row['ours_p50_ms']} ms, p99 {row['ours_p99_ms']} ms; "
            f"(a) alone p50 {row['bare_p50_ms']} ms, p99 {row['bare_p99_ms']} ms; ratio of p99 {row['ratio_p99']}; "
            f"refused {row['refused']}; all {row['delivered']} messages delivered"
        )


def delivery(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    yield "From the first POST until the platform has all"
    for name, rounds in found.items():
        rate, cpu = _rates(rounds), [figures["cpu_ms"] for figures in rounds]
        yield (
            f"  {_label(name)} {statistics.median(rate):7.1f} hooks/s ({min(rate):.1f} to {max(rate):.1f})   "
            f"CPU {statistics.median(cpu):6.2f} ms/hook ({min(cpu):.2f} to {max(cpu):.2f})   {rounds[0]['hooks']} hooks"
        )
    for name in ("textbook", "one_task", "node", "node_with_ledger"):
        if name in found and "ours" in found:
            times, share = _ratios(found["ours"], found[name])
            yield f"  Cratewire to {_label(name)} {times} times the hooks/s, {share} of the CPU"
    if "postgresql" in found and "ours" in found:
        times, share = _ratios(found["postgresql"], found["ours"])
        yield f"  Cratewire on PostgreSQL to SQLite {times} times the hooks/s, {share} times the CPU"


def idle(found: Mapping[str, Sequence[float]]) -> Iterator[str]:
    yield "Delay from POST to platform on an idle system"
    for name, delays in found.items():
        ordered = sorted(delays)
        p50, p99 = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, 0.99))
        yield f"  {_label(name)} p50 {p50:6.1f} ms   p99 {p99:6.1f} ms   of {len(ordered)}"


def rest(found: Mapping[str, Any]) -> Iterator[str]:
    yield "`cratewire run` at rest, with one store"
    yield (
        f"  {found['pss']:.0f} MB, {found['cpu']:.1f} % of a core; first acknowledgement "
        f"{found['first_acknowledgement']:.1f} s, first event {found['first_event']:.1f} s; "
        f"a command {found['command']:.2f} s"
    )


def disk(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"Disk for an event, of a body of {found['body_bytes']:.0f} bytes"
    for name, figures in found["databases"].items():
        yield f"  {name:12} {figures['bytes_per_event']:6.0f} bytes"


def small(found: Mapping[str, Any]) -> Iterator[str]:
    yield "Little memory"
    if not found:
        yield "  left out: memory control groups of version 1 and root are needed"
        return
    yield (
        f"  {found['hooks']} hooks, {found['accepted']} acknowledged; of {found['events']} events "
        f"{found['arrived']} arrived, {found['twice']} twice; "
        f"peak {found['peak_mb']} MB, {found['killed']} processes killed"
    )


def large_person(found: Mapping[str, Any]) -> Iterator[str]:
    few, many = found["orders"]
    yield f"Recording a hook of a person with {many} orders, of one with {few} (CPU)"
    for database, ways in ratios(found).items():
        for how, ratio in ways.items():
            costs = {
                orders: statistics.median(rounds) for orders, rounds in found["record_cpu_ms"][database][how].items()
            }
            each = " and ".join(f"{cost:.2f} ms" for cost in costs.values())
            yield f"  {database:11} {how:10} {each}: {ratio:.2f} times"


def memory(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"Memory over {found['hooks']} hooks (private, and its slope in the second half)"
    for name, figures in found["processes"].items():
        yield f"  {name:16} {figures['mib']:7.1f} MiB   {figures['kib_per_1000_hooks']} KiB per 1000 hooks"
    yield "  left in Redis: " + ", ".join(f"{name} {count}" for name, count in found["left"].items())


def partitions(found: Mapping[str, Any]) -> Iterator[str]:
    yield "Recording on PostgreSQL, the inbox filled beforehand: hooks a second by partitions"
    for number, rates in found.items():
        yield f"  {number:>9} partitions  {statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
    if found:
        yield f"  of one partition's rate: {compare_rates(found):.2f} times"


def compare_rates(found: Mapping[str, Any]) -> float:
    """The rate of the most partitions as a multiple of that of one: the median over the rounds."""
    pairs = zip(found["1"], found[max(found, key=int)], strict=True)
    return float(statistics.median(more / less for less, more in pairs))


def growth(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"CPU per hook by the size of the ledger (one process, batches of {found['batch']})"
    for size, costs in found["cpu_ms_per_hook"].items():
        yield f"  {int(size):>9} events  {statistics.median(costs):.3f} ms ({min(costs):.3f} to {max(costs):.3f})"
    last, all_of_it = found["last_doubling_percent"], found["from_smallest_percent"]
    yield f"  last doubling: {last:+} %, from the smallest: {all_of_it:+} %"
    yield "CPU per hook by the stores that a batch is about, in the largest"
    for stores, costs in found["cpu_ms_per_hook_by_stores_in_a_batch"].items():
        yield f"  {int(stores):>9} stores  {statistics.median(costs):.3f} ms ({min(costs):.3f} to {max(costs):.3f})"
    yield "CPU of a look at all lanes"
    for connections, waits in found["cpu_ms_per_sweep"].items():
        figures = ", ".join(f"{name} {statistics.median(costs):.3f} ms" for name, costs in waits.items())
        yield f"  {int(connections):>9} connections  {figures}"


def _label(name: str) -> str:
    return f"{NAMES[name]:30}"


def _rates(rounds: Sequence[Mapping[str, Any]]) -> list[float]:
    return [figures["per_second"] for figures in rounds]


def _ratios(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    pairs = list(zip(ours, theirs, strict=True))
    speed = [one["per_second"] / other["per_second"] for one, other in pairs]
    cpu = [one["cpu_ms"] / other["cpu_ms"] for one, other in pairs]
    return _spread(speed), _spread(cpu)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"

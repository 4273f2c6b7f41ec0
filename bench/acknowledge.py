"""How fast hooks are acknowledged durably, against a Flask view that does nothing on the same server.

A real Valkey with `appendfsync always`, granian with one worker and the load generator share this machine, so only
ratios within one run mean anything. Rounds alternate between the two; medians are printed.
"""

from __future__ import annotations

import http.client
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import repeat
from pathlib import Path

import click
from redis import Redis

from bench.load import Outcome, drive, post
from pipeline import keys, tokens
from pipeline.embedded import Embedded, command, free_port, wait_until_up
from pipeline.settings import process_environment
from receiver.serve import BACKPRESSURE

SECRET = "a key for benchmarks only"  # noqa: S105 it guards nothing
THREADS = 16  # of the bare Flask; ours answers hooks on its event loop
WARM_UP = 1.0  # seconds
START = 30.0  # seconds a server may take to come up


@click.command()
@click.option("--connections", default=16, show_default=True)
@click.option("--seconds", default=3.0, show_default=True, help="Of each round.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--size", default=2_700, show_default=True, help="Bytes of a body; an order has about so many.")
@click.option("--threads", default=THREADS, show_default=True, help="Of the bare Flask.")
def main(connections: int, seconds: float, rounds: int, size: int, threads: int) -> None:
    """Measure durable acknowledgements against a bare Flask view."""
    path = f"/hooks/acme/{tokens.sign([SECRET], 'acme', 1)}/order_new"
    request = post(path, b'{"x": "' + b"y" * (size - 9) + b'"}')
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cratewire-bench-")))
        redis = stack.enter_context(valkey(home))
        environ = {**process_environment(None), **_settings(redis.url, home)}
        bare = stack.enter_context(served(environ, *_bare(threads)))
        ours = stack.enter_context(served(environ, *_ours()))
        pairs = []
        for _ in range(rounds):
            pairs.append(tuple(_round(port, request, connections, seconds) for port in (bare, ours)))
            _empty(redis.url)
    report(pairs)


def report(pairs: list[tuple[Outcome, ...]]) -> None:
    """Print what came out."""
    for name, outcomes in zip(("bare Flask", "durable acknowledgement"), zip(*pairs, strict=True), strict=True):
        rate, half, most = (
            statistics.median(values)
            for values in zip(*((one.rate, one.wait(0.5), one.wait(0.99)) for one in outcomes), strict=True)
        )
        failures = sum(one.failures for one in outcomes)
        print(f"{name:24} {rate:8.0f}/s   p50 {half:6.2f} ms   p99 {most:6.2f} ms   failures {failures}")
    ratios = [ours.rate / bare.rate for bare, ours in pairs]
    print(f"ratio, ours to bare: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


@contextmanager
def valkey(home: Path) -> Iterator[Embedded]:
    """The embedded Valkey with the flags it has in production."""
    server = Embedded(home, free_port(), "bench")
    with _running(command(server), process_environment(None)) as process:
        wait_until_up(server, lambda: process.poll() is None)
        yield server


@contextmanager
def served(environ: Mapping[str, str], port: int, arguments: list[str]) -> Iterator[int]:
    """A web server that answers."""
    with _running([sys.executable, "-m", *arguments], environ) as process:
        deadline = time.monotonic() + START
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise click.ClickException(f"{arguments[0]} did not start")
            time.sleep(0.1)
        yield port


def _bare(threads: int) -> tuple[int, list[str]]:
    port = free_port()
    options = ["--interface", "wsgi", "--http", "1", "--no-ws", "--workers", "1", "--blocking-threads", str(threads)]
    options += ["--backpressure", str(BACKPRESSURE), "--port", str(port), "--log-level", "error"]
    return port, ["granian", *options, "bench.peers.bare_flask:app"]


def _ours() -> tuple[int, list[str]]:
    port = free_port()
    return port, ["receiver.serve", "--port", str(port)]


def _settings(redis_url: str, home: Path) -> dict[str, str]:
    # A Redis that shares two cores with everything else is now and then late; the spool is not what is measured.
    return {
        "REDIS_URL": redis_url,
        "CRATEWIRE_DATA_DIR": str(home / "data"),
        "CRATEWIRE_SECRET_KEY": SECRET,
        "CRATEWIRE_REDIS_TIMEOUT": "5",
    }


def _round(port: int, request: bytes, connections: int, seconds: float) -> Outcome:
    drive(port, repeat(request), connections, seconds=WARM_UP)
    return drive(port, repeat(request), connections, seconds=seconds)


def _empty(url: str) -> None:
    with Redis.from_url(url) as redis:
        redis.delete(keys.INBOX)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True


@contextmanager
def _running(arguments: list[str], environ: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(arguments, env=dict(environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


if __name__ == "__main__":
    main()

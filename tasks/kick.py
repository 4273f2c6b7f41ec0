"""The chain as Celery knows it, and how it is woken."""

from __future__ import annotations

from celery import chain, signature

from pipeline import keys
from pipeline.inbox.stream import KICK_SECONDS
from tasks.app import app
from tasks.config import DELIVERIES, HOOKS
from tasks.process import this_process
from tasks.waiting import nobody_takes

LINKS = (
    ("hooks.decode", HOOKS),
    ("hooks.validate", HOOKS),
    ("hooks.fan_out", HOOKS),
    ("deliveries.forward", DELIVERIES),
)


def publish() -> None:
    """Ask for one run of the chain. Raises kombu's error if the broker is away; the sweep asks again."""
    if nobody_takes(app, HOOKS):
        return
    links = [signature(name, app=app).set(queue=queue, argsrepr="(…)") for name, queue in LINKS]
    chain(*links, app=app).apply_async()


def kick_unless_kicked() -> None:
    """Ask for a run unless one is asked for already."""
    if this_process().redis.set(keys.KICK, 1, nx=True, ex=KICK_SECONDS):
        publish()


def kick_again() -> None:
    """Ask for a run although one may be asked for: whoever asked may have failed to, and one too many finds nothing."""
    this_process().redis.set(keys.KICK, 1, ex=KICK_SECONDS)
    publish()

"""Runs the links of the chain in the task that holds the chain lease, and what follows from each batch.

While the task reads on, other processes deliver what it has recorded. The last batch it delivers itself: a message to
another process would only cost time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.core.errors import StaleFence
from pipeline.core.hooks import Batch
from pipeline.inbox import stream
from pipeline.inbox.chain_lease import ChainLease, resume_chain_lease
from pipeline.processing.chain_run import DECODE, ChainDeps, ChainRun, PassedOn, load_harmless_raws
from pipeline.processing.failure_limit import get_chain_stop
from tasks.chain import continue_chain, wake_once
from tasks.delayed_actions import retry_until_done
from tasks.deliveries import forward_here, publish_forward
from tasks.fulfilment import wake_fulfilment
from tasks.lookups import wake_lookups
from tasks.process import get_process_context, get_revocations
from tasks.worker.base import link_scope
from tasks.worker.cpu_limit import cpu_limit


@dataclass(slots=True)
class LinksEnd:
    """What a task still has to do once it holds the chain lease no longer."""

    connections: list[int]  # to deliver
    may_wait: bool  # whether hooks may wait in the inbox
    passed_on: PassedOn | None = None
    partition: int = 0


def run_links(lease: ChainLease, link: str = DECODE, batch: Batch | None = None) -> LinksEnd:
    """Run the links from this one on, while hooks wait and there is time."""
    deps = ChainDeps(get_process_context(), get_revocations(), cpu_limit, link_scope)
    run, end = ChainRun(deps, lease), LinksEnd([], may_wait=True, partition=lease.partition)
    for recorded in run.run(link, batch):
        wake_lookups(recorded.stores_to_ask)
        wake_fulfilment(recorded.shipment_hints)
        end.may_wait = recorded.waiting > 0
        end.connections = [] if recorded.goes_on else recorded.connections
        if recorded.goes_on:
            publish_forward(recorded.connections)
    end.passed_on = run.passed_on
    return end


def resume_links(link: str, batch: Batch) -> LinksEnd | None:
    """Run the links from this one on with a batch of another task; None if another chain has held the lease since."""
    context, partition = get_process_context(), batch.get("partition", 0)
    load_bodies = partial(load_harmless_raws, context, batch, partition)
    try:
        with resume_chain_lease(context.redis, batch["token"], retry_until_done, load_bodies, partition) as lease:
            return run_links(lease, link, batch)
    except StaleFence:
        return None


def end_links(task: Any, end: LinksEnd | None) -> None:
    """End the task: publish none of the links that its message names, but what is left to do."""
    task.request.chain = None
    if end is None:
        return
    if end.passed_on:
        continue_chain(end.passed_on.link, end.passed_on.batch)
    elif end.may_wait:
        _wake_if_waiting(end.partition)
    forward_here(end.connections)


def _wake_if_waiting(partition: int) -> None:
    """Wake the partition's chain for hooks that came while its lease was held: they have not.

    The sweep wakes a stopped chain.
    """
    redis = get_process_context().redis
    if not stream.is_empty(redis, partition) and not get_chain_stop(redis):
        wake_once(partition)

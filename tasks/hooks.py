"""The links of the chain that turns hooks into ledger rows. A lost message loses nothing: the inbox keeps the hooks.

A task begins with its own link and goes on with those that follow. A message for a later link comes from a task that
was late, or from a worker of a release that passed every batch from task to task.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pipeline.core.hooks import Batch
from pipeline.inbox import stream
from pipeline.inbox.chain_lease import is_chain_lease_free, take_chain_lease
from pipeline.inbox.repartition import PartitionsBusy
from pipeline.operations.partitions import finish_change
from pipeline.processing.chain_run import RECORD, VALIDATE
from tasks.app import task
from tasks.chain import wake_again
from tasks.delayed_actions import retry_until_done
from tasks.links import end_links, resume_links, run_links
from tasks.process import get_process_context


@task("hooks.decode", bind=True)
def decode(self: Any, partition: int = 0) -> None:
    """Acquire the partition's chain lease, and process the hooks that wait in this part of the inbox."""
    redis = get_process_context().redis
    ended = None
    with take_chain_lease(redis, retry_until_done, partition) as lease:
        if lease is not None:
            ended = run_links(lease)
    end_links(self, ended)


@task("hooks.validate", bind=True)
def validate(self: Any, batch: Batch) -> None:
    """Go on with a decoded batch: validate it with the schemas of its events."""
    end_links(self, resume_links(VALIDATE, batch))


@task("hooks.fan_out", bind=True)
def fan_out(self: Any, batch: Batch) -> None:
    """Go on with a valid batch: record it in the ledger and remove it from the inbox."""
    end_links(self, resume_links(RECORD, batch))


@task("hooks.sweep")
def sweep() -> None:
    """Wake the chains of partitions in which hooks wait: a wake-up may have been lost, a worker killed, or the
    database was away. A change of the number of partitions whose process was killed is finished first.
    """
    context = get_process_context()
    with suppress(PartitionsBusy):
        finish_change(context)
    for partition in stream.get_depths(context.redis):
        if is_chain_lease_free(context.redis, partition):
            wake_again(partition)

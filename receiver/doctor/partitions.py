"""Checks whether the inbox has as many partitions as the settings say."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from redis import RedisError

from pipeline.core.plural import pluralize
from pipeline.inbox.partitions import get_partition_count
from pipeline.settings import Settings
from receiver.doctor.finding import Finding
from receiver.doctor.redis import open_redis


def check_partitions(settings: Settings) -> Iterator[Finding]:
    """Nothing if Redis cannot be asked: that is a finding of its own."""
    with contextlib.closing(open_redis(settings.redis_url)) as client, contextlib.suppress(RedisError):
        counted = get_partition_count(client)
        if counted.number is None:
            yield Finding("partitions", "ok", f"{settings.partitions}, from the first hook on")
        elif counted.next is not None:
            says = f"{counted.number}, and hooks are being moved into {counted.next}"
            advice = "Wait; if it lasts, see that a worker runs, or finish it with `cratewire partitions`."
            yield Finding("partitions", "note", says, advice)
        elif counted.number != settings.partitions:
            has = pluralize(counted.number, "partition")
            says = f"the inbox has {has}, CRATEWIRE_PARTITIONS says {settings.partitions}"
            advice = f"Run `cratewire partitions {settings.partitions}`, or set CRATEWIRE_PARTITIONS={counted.number}."
            yield Finding("partitions", "note", says, advice)
        else:
            yield Finding("partitions", "ok", str(counted.number))

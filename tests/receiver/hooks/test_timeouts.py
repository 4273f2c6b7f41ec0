"""Tasks of the event loop that take too long are cancelled; no others are."""

from __future__ import annotations

import asyncio

import pytest

from receiver.hooks.timeouts import RequestTimeouts


def test_what_takes_too_long_ends_in_a_timeout():
    async def wait():
        with RequestTimeouts(0.01, check_interval_s=0.01).limit():
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(wait())


def test_what_ends_in_time_is_left_alone_afterwards():
    async def wait_again():
        overdue = RequestTimeouts(0.01, check_interval_s=0.01)
        with overdue.limit():
            pass
        with pytest.raises(TimeoutError), overdue.limit():  # by its end the first one's time has passed too
            await asyncio.Event().wait()
        return "here"

    assert asyncio.run(wait_again()) == "here"


def test_a_task_that_other_code_cancels_is_cancelled():
    async def cancelled():
        async def wait():
            with RequestTimeouts(3600).limit():
                await asyncio.Event().wait()

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(cancelled())

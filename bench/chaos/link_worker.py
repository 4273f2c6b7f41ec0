"""A program for the code of any release: runs the links of one chain up to a given one, whose batch waits afterwards.

It takes messages from the queue as a worker does, one at a time, and ends with 0 once the link has left a batch.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from celery.app.trace import build_tracer

from tasks.app import app
from tasks.chain import start_chain

QUEUE = "hooks"
TIMEOUT_S = 60.0


def main(last_link: str) -> int:
    """Return 0 if the next link waits in the broker with a batch."""
    app.loader.import_default_modules()
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        message = _take_message()
        if message is None:
            start_chain()
            continue
        result = _run(message)
        if message.headers["task"] == last_link and isinstance(result, str):  # batches are encoded as a string
            return 0
    return 1


def _take_message() -> Any:
    with app.connection_for_read() as connection, connection.channel() as channel:
        app.amqp.queues[QUEUE].bind(channel).declare()
        return channel.basic_get(QUEUE, no_ack=True)


def _run(message: Any) -> Any:
    name = message.headers["task"]
    arguments, options, embed = message.payload
    request = {**message.headers, **embed, "delivery_info": {"routing_key": QUEUE}}
    trace = build_tracer(name, app.tasks[name], app=app)
    return trace(message.headers["id"], arguments, options, request).retval


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

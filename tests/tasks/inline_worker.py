"""A worker without a process: takes a message from a real broker and does with it what Celery's worker does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celery.app.trace import build_tracer

from tasks.app import app
from tasks.worker.backpressure import MAX_WAITING_MESSAGES
from tasks.worker.codec import decode_payload, encode_payload


@dataclass(frozen=True)
class TakenMessage:
    """A message as it lay in its queue."""

    queue: str
    headers: dict[str, Any]
    args: list[Any]
    kwargs: dict[str, Any]
    embed: dict[str, Any]

    @property
    def task(self) -> str:
        return str(self.headers["task"])

    def work(self) -> Any:
        """Run the task and publish what follows it. Returns the task's result, or its error."""
        trace = build_tracer(self.task, app.tasks[self.task], app=app)
        request = {**self.headers, **self.embed, "delivery_info": {"routing_key": self.queue}}
        result = trace(self.headers["id"], [encode_payload(value) for value in self.args], self.kwargs, request)
        return result.retval if result.info is None else result.info


def take_message(queue: str) -> TakenMessage | None:
    """The oldest message of a queue, which the broker forgets; None if there is none."""
    with app.connection_for_read() as connection, connection.channel() as channel:
        app.amqp.queues[queue].bind(channel).declare()
        message = channel.basic_get(queue, no_ack=True)
        if message is None:
            return None
        args, kwargs, embed = message.payload
        return TakenMessage(queue, dict(message.headers), [decode_payload(value) for value in args], kwargs, embed)


def take_link(name: str) -> TakenMessage:
    """The next message of the chain, which must be for this link."""
    message = take_message("hooks")
    assert message is not None
    assert message.task == name
    return message


def take_all_messages(queue: str) -> list[TakenMessage]:
    found = []
    while (message := take_message(queue)) is not None:
        found.append(message)
    return found


def fill_queue(queue: str) -> None:
    """Let messages wait there as if its worker had been away for a while."""
    for _ in range(MAX_WAITING_MESSAGES):
        app.send_task("test.waits", queue=queue)


def run_all(queue: str) -> list[str]:
    """Work until the queue is empty; the names of the tasks in their order."""
    worked = []
    while (message := take_message(queue)) is not None:
        message.work()
        worked.append(message.task)
    return worked

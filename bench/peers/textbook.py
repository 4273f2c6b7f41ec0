"""The textbook: a Celery chain of four tasks per hook, on a Redis broker with Celery's default settings."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, chain

from bench.peers import work

app = Celery("textbook", broker=os.environ["PEER_REDIS"])  # noqa: TID251 a peer has no settings of ours


@app.task  # type: ignore[untyped-decorator] # as commonly written
def decode(raw: str) -> dict[str, Any]:
    return work.decode(raw)


@app.task  # type: ignore[untyped-decorator] # as commonly written
def validate(body: dict[str, Any]) -> dict[str, Any]:
    return work.validate(body)


@app.task  # type: ignore[untyped-decorator] # as commonly written
def fan_out(data: dict[str, Any], event: str) -> list[dict[str, Any]]:
    return work.fan_out(event, data)


@app.task  # type: ignore[untyped-decorator] # as commonly written
def forward(messages: list[dict[str, Any]]) -> None:
    work.send(messages)


def take(event: str, raw: str) -> None:
    """What the Flask view does with a hook."""
    chain(decode.s(raw), validate.s(), fan_out.s(event), forward.s()).delay()

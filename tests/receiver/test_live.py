"""The live stream: says that something has changed, looks once for all readers, and ends."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from granian.rsgi import ProtocolClosed

from receiver import live
from receiver.hooks.rules import Answer
from receiver.live import STORES_HEADER, LiveStreams


class Reader:
    """A fake of granian's protocol object and of its transport. It leaves after `patience` messages."""

    def __init__(self, patience: int = 3) -> None:
        self.patience = patience
        self.sent: list[str] = []
        self.status = 0
        self.headers: dict[str, str] = {}

    def response_stream(self, status, headers):
        self.status, self.headers = status, dict(headers)
        return self

    def response_bytes(self, status, headers, _body):
        self.status, self.headers = status, dict(headers)

    async def send_bytes(self, data):
        self.sent.append(data.decode())

    async def send_str(self, data):
        if len(self.sent) > self.patience:
            raise ProtocolClosed
        self.sent.append(data)

    @property
    def events(self) -> list[str]:
        return [line.removeprefix("event: ") for text in self.sent for line in text.splitlines() if "event" in line]


def begin(stores="1,2"):
    headers = [("content-type", "text/event-stream"), ("content-length", "13"), (STORES_HEADER.lower(), stores)]
    return Answer("200 OK", headers, b"retry: 1000\n\n")


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr(live, "INTERVAL_S", 0.01)


def run(readers, load, stores="1,2"):
    async def all_of_them():
        with ThreadPoolExecutor(1) as threads:
            streams = LiveStreams(load, threads)
            await asyncio.gather(*(streams.run(reader, begin(stores)) for reader in readers))

    asyncio.run(all_of_them())


def test_the_pages_answer_begins_a_stream_and_its_header_stays_inside():
    reader = Reader()
    run([reader], lambda stores: dict.fromkeys(stores, "a"))

    assert reader.status == 200
    assert reader.headers == {"content-type": "text/event-stream"}
    assert reader.sent[0] == "retry: 1000\n\n"


def test_only_an_answer_with_the_header_begins_a_stream():
    assert LiveStreams.is_begun_by(begin())
    assert not LiveStreams.is_begun_by(Answer("200 OK", [("content-type", "text/html")], b""))


def test_a_change_is_announced_once_and_silence_is_a_ping():
    tokens = iter("aab")
    reader = Reader(patience=40)
    run([reader], lambda stores: dict.fromkeys(stores, next(tokens, "b")))

    assert "ping" in reader.events
    assert 2 <= reader.events.count("changed") <= 3


def test_one_look_serves_all_readers():
    asked = []

    def load(stores):
        asked.append(sorted(stores))
        return {}

    run([Reader(), Reader(), Reader()], load)

    assert asked[0] == [1, 2]
    assert len(asked) <= 6  # not one for each reader and message


def test_a_look_that_fails_does_not_end_the_stream():
    def load(_stores):
        raise OSError

    reader = Reader(patience=5)
    run([reader], load)

    assert len(reader.sent) == 6


def test_an_old_stream_ends_so_that_the_browser_logs_in_again(monkeypatch):
    monkeypatch.setattr(live, "STREAM_LIFE_S", 0.05)
    reader = Reader(patience=1000)
    run([reader], lambda _stores: {})

    assert len(reader.sent) < 1000


def test_too_many_readers_are_asked_to_come_back(monkeypatch):
    monkeypatch.setattr(live, "MAX_STREAMS", 0)
    reader = Reader()
    run([reader], lambda _stores: {})

    assert (reader.status, reader.headers["retry-after"]) == (503, "60")

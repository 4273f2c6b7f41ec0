"""The worked example of docs/http.md is what happens."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipeline.core.messages import Message, PersonRef
from pipeline.destinations.http.presets import list_presets
from pipeline.destinations.http.preview import preview

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_worked_example_makes_the_request_that_the_page_shows():
    message = Message(1, PersonRef(1, 7001, "robin@example.com"), "profile", 1_772_470_000, json.loads(block("json")))

    made = preview(message, {"config": block("toml"), "api_key": "KEY"})

    assert made is not None
    head, _, body = block("http").partition("\n\n")
    request, *headers = head.splitlines()
    host = dict(line.split(": ") for line in headers)
    assert request == f"{made.method} {made.url.removeprefix('https://' + host['Host'])} HTTP/1.1"
    assert {name: value.replace("API_KEY", "KEY") for name, value in (one.split(": ") for one in made.headers)} == {
        name: value for name, value in host.items() if name != "Host"
    }
    assert made.body.decode() == body.strip()


def test_the_example_sends_the_events_that_it_names_and_no_other():
    def make(name: str):
        person = PersonRef(1, 7001, "robin@example.com")
        message = Message(
            2, person, "event", 1_772_470_000, {"items": [{"name": "Tea"}]}, name, "01HF7YAT00VB4KN3Z89JZKN9G8"
        )
        return preview(message, {"config": block("toml"), "api_key": "KEY"})

    made = make("order_new")
    assert made is not None
    assert json.loads(made.body) == {
        "kind": "bought",
        "who": "robin@example.com",
        "at": 1_772_470_000,
        "items": ["Tea"],
    }
    assert make("shipment_shipped") is None


def test_the_page_lists_every_preset():
    assert sorted(re.findall(r"^\| `(\w+)` \| (?:`account`|API key|the hook)", PAGE, re.MULTILINE)) == list(
        list_presets()
    )

"""Nothing that reads what strangers send takes more than its share of time for a longer text.

A reader whose time grows with the square of a text's length lets one hook, one header or one form hold up all others.
"""

from __future__ import annotations

import re

import pytest

import schemas
from pipeline.cratejoy.addresses import linked, page_after
from pipeline.decode import decode
from pipeline.decode.json_text import read_json
from pipeline.decode.layers import unwrap
from pipeline.decode.literal import read_literal
from pipeline.decode.plain import read_plain
from pipeline.decode.query import read_query
from pipeline.destinations.vendor_text import error_text, scrubbed
from pipeline.events.ulid import ulid_of
from pipeline.fan_out.people import is_email
from pipeline.inbox.raw_hook import from_fields
from pipeline.lanes.backoff import parse_retry_after
from pipeline.ledger import safe_json
from pipeline.registration.urls import host_of, recogniser
from pipeline.settings import VARIABLES, Settings
from pipeline.tokens import verify
from receiver.cli.output import harmless
from receiver.intake import Intake
from schemas.clean import clean, json_safe, tidy
from schemas.fields import Lenient
from schemas.links import link_in, reference_to
from schemas.times import iso_utc
from tasks.config import without_password
from tasks.parcel import unpack
from tests.grown import applied, grows_too_fast, inline, patterns, shapes

KEYS = ("k" * 32,)
API = "https://api.example.com/v1/customers/"
INTAKE = Intake(
    verify=lambda _store, _token: 1,
    offer=lambda _hook: "inbox",
    max_bytes=5_000_000,
    now=lambda: 0,
    receipt=lambda _at: "r",
)
PATTERNS = {**patterns(), **inline()}


def fields():
    """Every kind of field, by its name."""
    kinds = list(Lenient.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if not getattr(kind.read, "__isabstractmethod__", False):
            yield f"field {kind.__name__}", kind().read


def settings(text):
    return Settings.from_environment({row.name: text for row in VARIABLES.values()})


READERS = {
    "decode": lambda text: decode(text.encode("utf-8", "surrogatepass")),
    "decode a query": lambda text: decode(b"", text),
    "query": read_query,
    "layers": unwrap,
    "json_text": read_json,
    "literal": read_literal,
    "plain": read_plain,
    **dict(fields()),
    "any body": lambda text: schemas.load("any", {"a": text, text: 1}),
    "a customer": lambda text: schemas.load("customer", dict.fromkeys(("id", "email", "first_name", text), text)),
    "a page": lambda text: schemas.load_page("order", {"count": text, "next": text, "results": [{"customer": text}]}),
    "clean": clean,
    "tidy": tidy,
    "json_safe": json_safe,
    "a moment": iso_utc,
    "a link": link_in,
    "a reference": reference_to,
    "an address": is_email,
    "a platform's error": error_text,
    "a platform's words": scrubbed,
    "Retry-After": lambda text: parse_retry_after(text, 0.0),
    "settings": settings,
    "a broker's address": without_password,
    "a token": lambda text: verify(KEYS, "acme", text),
    "a token's store": lambda text: verify(KEYS, text, "1.x"),
    "a hook's target": recogniser(KEYS, "https://hooks.example.com", "acme"),
    "a hook's path": lambda text: INTAKE.admit("POST", text.split("/")),
    "a hook's event": lambda text: INTAKE.admit("POST", ["acme", "token", text]),
    "a content length": INTAKE.length,
    "a host": host_of,
    "a next page": lambda text: page_after(API, text),
    "a relation's link": lambda text: linked(API, text),
    "a stream's entry": lambda text: from_fields("1-1", dict.fromkeys((b"r", b"s", b"v", b"e", b"t"), text.encode())),
    "a parcel": lambda text: unpack(f"z2:{text}"),
    "what a ledger holds": safe_json.loads,
    "what a ledger is given": lambda text: safe_json.dumps({text: text}),
    "a message's id": lambda text: ulid_of(0, text),
    "what a terminal shows": harmless,
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_four_times_as_long_for_four_times_the_text(name):
    assert [shape for shape, make in shapes() if grows_too_fast(READERS[name], make)] == []


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_four_times_as_long_for_four_times_the_text(name):
    pattern, methods = PATTERNS[name]
    reads = {method: applied(pattern, method) for method in methods}

    slow = [(method, shape) for shape, make in shapes() for method in methods if grows_too_fast(reads[method], make)]

    assert slow == []


def test_what_grows_with_the_square_of_a_text_is_seen():
    squared = re.compile(r"[\[{](?:\s|\\[nrt])*[\[{]?(?:\s|\\[nrt])*\\+\"")

    assert grows_too_fast(squared.match, dict(shapes())["'{' ' '… 'x'"])

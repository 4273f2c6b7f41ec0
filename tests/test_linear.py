"""Nothing that reads what strangers send takes more than its share of time for a longer text.

A reader whose time grows with the square of a text's length lets one hook, one header or one form hold up all others.
"""

from __future__ import annotations

import re

import pytest

import schemas
from pipeline.core.backoff import parse_retry_after
from pipeline.cratejoy.urls import resolve_link, resolve_next_page
from pipeline.decode import decode
from pipeline.decode.fast_json import read_fast_json
from pipeline.decode.python_literal import read_literal
from pipeline.decode.query import read_query
from pipeline.decode.strict_json import read_json
from pipeline.decode.unwrap import unwrap
from pipeline.destinations.error_text import error_text
from pipeline.events.ulid import make_ulid
from pipeline.fan_out.customers import is_email
from pipeline.hook_registration.urls import build_target_parser, get_host
from pipeline.inbox.entry import from_fields
from pipeline.infra.crypto.hook_tokens import verify
from pipeline.ledger.sql import json_type
from pipeline.redaction.scrub import scrub
from receiver.cli.output import escape_control_characters
from receiver.hooks.rules import HookRules
from schemas.fields import LenientField
from schemas.links import parse_link, parse_reference
from schemas.safe_values import clean_text, json_safe, normalize_text
from schemas.times import iso_utc
from tasks.config import strip_password
from tasks.worker.codec import decode_payload
from tests.linear_time import apply_pattern, find_inline_patterns, is_superlinear, list_patterns, shapes

KEYS = ("k" * 32,)
API = "https://api.example.com/v1/customers/"
INTAKE = HookRules(
    verify_token=lambda _store, _token: 1,
    max_bytes=5_000_000,
    now=lambda: 0,
    new_receipt=lambda _at: "r",
)
PATTERNS = {**list_patterns(), **find_inline_patterns()}


def fields():
    """Every kind of field, by its name."""
    kinds = list(LenientField.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if not getattr(kind.read, "__isabstractmethod__", False):
            yield f"field {kind.__name__}", kind().read


READERS = {
    "decode": lambda text: decode(text.encode("utf-8", "surrogatepass")),
    "decode a query": lambda text: decode(b"", text),
    "query": read_query,
    "layers": unwrap,
    "json_text": read_json,
    "literal": read_literal,
    "plain": read_fast_json,
    **dict(fields()),
    "any body": lambda text: schemas.load("any", {"a": text, text: 1}),
    "a customer": lambda text: schemas.load("customer", dict.fromkeys(("id", "email", "first_name", text), text)),
    "a page": lambda text: schemas.load_page("order", {"count": text, "next": text, "results": [{"customer": text}]}),
    "clean": clean_text,
    "tidy": normalize_text,
    "json_safe": json_safe,
    "a moment": iso_utc,
    "a link": parse_link,
    "a reference": parse_reference,
    "an address": is_email,
    "a platform's error": error_text,
    "a platform's words": scrub,
    "Retry-After": lambda text: parse_retry_after(text, 0.0),
    "a broker's address": strip_password,
    "a token": lambda text: verify(KEYS, "acme", text),
    "a token's store": lambda text: verify(KEYS, text, "1.x"),
    "a hook's target": build_target_parser(KEYS, "https://hooks.example.com", "acme"),
    "a hook's path": lambda text: INTAKE.authorize("POST", text.split("/")),
    "a hook's event": lambda text: INTAKE.authorize("POST", ["acme", "token", text]),
    "a content length": INTAKE.parse_length,
    "a host": get_host,
    "a next page": lambda text: resolve_next_page(API, text),
    "a relation's link": lambda text: resolve_link(API, text),
    "a stream's entry": lambda text: from_fields("1-1", dict.fromkeys((b"r", b"s", b"v", b"e", b"t"), text.encode())),
    "a parcel": lambda text: decode_payload(f"z2:{text}"),
    "what a ledger holds": json_type.loads,
    "what a ledger is given": lambda text: json_type.dumps({text: text}),
    "a message's id": lambda text: make_ulid(0, text),
    "what a terminal shows": escape_control_characters,
}


@pytest.mark.parametrize("name", READERS)
def test_a_reader_takes_four_times_as_long_for_four_times_the_text(name):
    assert [shape for shape, make in shapes() if is_superlinear(READERS[name], make)] == []


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_takes_four_times_as_long_for_four_times_the_text(name):
    pattern, methods = PATTERNS[name]
    reads = {method: apply_pattern(pattern, method) for method in methods}

    slow = [(method, shape) for shape, make in shapes() for method in methods if is_superlinear(reads[method], make)]

    assert slow == []


def test_what_grows_with_the_square_of_a_text_is_seen():
    squared = re.compile(r"[\[{](?:\s|\\[nrt])*[\[{]?(?:\s|\\[nrt])*\\+\"")

    assert is_superlinear(squared.match, dict(shapes())["'{' ' '… 'x'"])

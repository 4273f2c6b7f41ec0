"""The fields of a connection to an HTTP API, and the document that they lead to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.core.errors import Misconfigured
from pipeline.core.form_fields import Field
from pipeline.destinations.http.document import Document, parse_document
from pipeline.destinations.http.presets import OWN, list_presets, read_preset
from pipeline.infra.form_config import read_config

MAX_KEYS = 3
KEY_NAMES = ("api_key", *(f"api_key_{number}" for number in range(2, MAX_KEYS + 1)))
FIELDS: tuple[Field, ...] = (
    Field(
        "preset",
        "API",
        default=OWN,
        choices=(OWN, *list_presets()),
        names_host=True,
        help="A known one, or your own, which the document below describes.",
    ),
    Field(
        "account",
        "Account",
        required=False,
        names_host=True,
        help="Where the API needs it: Drip's account id, the HubSpot account's number, ACCOUNT of ACCOUNT.api-us1.com.",
    ),
    Field(
        "api_key",
        "API key",
        required=False,
        secret=True,
        help="Several with a space between them, three at most: ActiveCampaign's API key, event key and actid.",
    ),
    Field(
        "hook_url",
        "Hook's address",
        required=False,
        secret=True,
        help="Of a Slack or Zapier hook, or {{hook_url}} of your own document.",
    ),
    Field(
        "config",
        "Document",
        required=False,
        is_document=True,
        names_account=False,
        names_host=True,
        help="Only for your own: its requests, in TOML or JSON, as docs/http.md explains them.",
    ),
)
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{0,100}")


def read_fields(config: Mapping[str, str]) -> dict[str, str]:
    """Return the fields, in order. Raise Misconfigured."""
    given = read_config(FIELDS, config)
    if given["preset"] == OWN and not given["config"]:
        raise Misconfigured("config is missing: describe your API, or choose a preset")
    given["config"] = given["config"].replace("\r\n", "\n") if given["preset"] == OWN else ""
    if not _ACCOUNT.fullmatch(given["account"]):
        raise Misconfigured("account has letters, digits, hyphens and underscores only")
    if len(given["api_key"].split()) > MAX_KEYS:
        raise Misconfigured(f"api_key holds {MAX_KEYS} keys at most, with a space between them")
    return given


def open_document(fields: Mapping[str, str]) -> Document:
    """Return the document of a connection, with its fields filled in. Raise Misconfigured."""
    text = fields["config"] if fields["preset"] == OWN else read_preset(fields["preset"])
    keys = dict(zip(KEY_NAMES, [*fields["api_key"].split(), *[""] * MAX_KEYS], strict=False))
    return parse_document(text, {"account": fields["account"], "hook_url": fields["hook_url"], **keys})


def hide_secrets(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with placeholders for what is secret, to show a request."""
    keys = " ".join(name.upper() for name in KEY_NAMES)
    return {**fields, "api_key": keys, "hook_url": "https://HOOK_URL"}

"""How a store may write one body: the wire forms, written independently of the reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def form_a(body: Any, layers: int = 1) -> bytes:
    text = json.dumps(body)
    for _ in range(layers):
        text = json.dumps(text)
    return text.encode()


def form_b(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def form_c(body: Any) -> bytes:
    return form_a(body)[1:-1]


def form_d(body: Any) -> bytes:
    return repr(body).encode()


FORMS: dict[str, Callable[[Any], bytes]] = {"A": form_a, "B": form_b, "C": form_c, "D": form_d}

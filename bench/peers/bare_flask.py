"""What an acknowledgement is measured against: a Flask view that does nothing, on the same server and path."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.post("/hooks/<store>/<token>/<event>")
def take(store: str, token: str, event: str) -> tuple[str, int]:  # noqa: ARG001 routed like the real one
    return "", 202

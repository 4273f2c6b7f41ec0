"""The Flask view of the Celery peers: it publishes the hook and responds. PEER names the module with the task."""

from __future__ import annotations

import importlib
import os

from flask import Flask, request

app = Flask(__name__)
_peer = importlib.import_module(f"bench.peers.{os.environ['PEER']}")  # noqa: TID251 a peer has no settings of ours


@app.post("/hooks/<store>/<token>/<event>")
def take(store: str, token: str, event: str) -> tuple[str, int]:  # noqa: ARG001 routed like the real one
    _peer.take(event, request.get_data(as_text=True))
    return "", 202

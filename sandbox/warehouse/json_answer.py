"""The answers of the control paths and of the protocols that speak plain JSON."""

import json
from typing import Any

from werkzeug.wrappers import Response


def answer(content: Any, status: int = 200) -> Response:
    """Return JSON."""
    return Response(json.dumps(content), status, content_type="application/json")

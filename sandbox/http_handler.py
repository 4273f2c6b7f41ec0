"""How the store and the warehouse speak HTTP on loopback."""

from werkzeug.serving import WSGIRequestHandler


class Handler(WSGIRequestHandler):
    """Silent, HTTP/1.1, and without waiting for small packets to grow."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Log nothing: the request log has it all."""

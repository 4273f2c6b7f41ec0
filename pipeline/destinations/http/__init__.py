"""Any HTTP API, described by a document: its requests, with expressions for what they hold."""

from pipeline.destinations.http.destination import AnyHTTP

__all__ = ["AnyHTTP"]

"""Klaviyo, by its server-side API."""

from pipeline.destinations.klaviyo.destination import Klaviyo

__all__ = ["Klaviyo"]

"""Loads what Cratejoy sends into typed, normalised, JSON-safe data. No I/O."""

from schemas.base import Loaded
from schemas.loading import InvalidBody, Page, load, load_page
from schemas.registry import SCHEMA_NAMES, SCHEMAS

__all__ = ["SCHEMAS", "SCHEMA_NAMES", "InvalidBody", "Loaded", "Page", "load", "load_page"]

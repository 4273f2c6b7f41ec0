"""What Cratejoy puts on the wire, and typed, normalised, JSON-safe data made of it. No I/O."""

from schemas.base import Loaded
from schemas.loading import Invalid, Page, load, load_page
from schemas.registry import NAMES, SCHEMAS

__all__ = ["NAMES", "SCHEMAS", "Invalid", "Loaded", "Page", "load", "load_page"]

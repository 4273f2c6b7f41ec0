"""The people of the stores: what is known about them, why events were sent, their export, and their erasure."""

from receiver.pages.people import listing, rights, views  # each adds its views to the blueprint
from receiver.pages.people.page import blueprint

__all__ = ["blueprint", "listing", "rights", "views"]

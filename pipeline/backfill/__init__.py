"""Reads a store's customers page by page and makes a profile of each, without an event."""

"""Finds one person in the bodies of hooks, and takes them out."""

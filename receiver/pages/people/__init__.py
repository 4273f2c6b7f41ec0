"""The people of a store: what is known about them, their export, and their erasure."""

"""Segment's HTTP API on loopback, and what speaks the same, such as RudderStack."""

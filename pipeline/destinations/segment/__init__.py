"""Segment, and what speaks its HTTP API: RudderStack, Jitsu and others."""

from pipeline.destinations.segment.destination import Segment

__all__ = ["Segment"]

"""Decodes the bytes of a hook into the object inside them. Knows nothing of stores or events."""

from pipeline.decode.body import Decoded, Form, decode
from pipeline.decode.limits import REASON_SENTENCES, Reason

__all__ = ["REASON_SENTENCES", "Decoded", "Form", "Reason", "decode"]

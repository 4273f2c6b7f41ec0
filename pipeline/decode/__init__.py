"""Reading a hook's bytes: what is inside, and how it was wrapped. Knows nothing of stores or events."""

from pipeline.decode.body import Decoded, Form, decode
from pipeline.decode.reasons import SENTENCES, Reason

__all__ = ["SENTENCES", "Decoded", "Form", "Reason", "decode"]

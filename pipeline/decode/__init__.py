"""Reading a hook's bytes: what is inside, and how it was wrapped. Knows nothing of stores or events."""

from pipeline.decode.body import Decoded, Form, decode
from pipeline.decode.limits import REASON_SENTENCES, Reason

__all__ = ["REASON_SENTENCES", "Decoded", "Form", "Reason", "decode"]

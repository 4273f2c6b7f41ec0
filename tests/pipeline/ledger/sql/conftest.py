"""The SQL helpers are tested on a store whose hooks have been recorded."""

from tests.pipeline.recording.conftest import recorder

__all__ = ["recorder"]

"""Customer.io by its Track API."""

from pipeline.destinations.customerio.destination import CustomerIO

__all__ = ["CustomerIO"]

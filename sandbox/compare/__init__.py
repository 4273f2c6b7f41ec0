"""Compare the events of a sandbox store with what a sandbox Customer.io received."""

from sandbox.compare.comparison import compare
from sandbox.compare.report import Report

__all__ = ["Report", "compare"]

"""Compares what a sandbox store knows to have happened with what a sandbox Customer.io was told."""

from sandbox.compare.comparison import compare
from sandbox.compare.report import Report

__all__ = ["Report", "compare"]

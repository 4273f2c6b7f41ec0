"""Extensiv Integration Manager, formerly CartRover: its Cart API."""

from pipeline.warehouses.cartrover.warehouse import CartRover

__all__ = ["CartRover"]

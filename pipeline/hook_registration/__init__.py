"""Registers a store's hooks at Cratejoy and keeps them in order."""

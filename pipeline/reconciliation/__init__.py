"""Compares the events that a store's hooks have reported with what its API shows, and recovers those missing."""

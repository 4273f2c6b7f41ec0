"""Compares what a store's hooks have told with what its API shows, and repairs the difference."""

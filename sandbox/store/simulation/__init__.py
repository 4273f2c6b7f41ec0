"""The store's background life: who does what, and when, in simulated time."""

"""What support is asked about one person: who they are, what was known when, and why an event was sent or not."""

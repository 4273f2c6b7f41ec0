"""An HTTP API on loopback whose shape is data: what it takes, what it refuses, and what it answers."""

"""When hooks stop: how long a silence is nothing unusual, what is tried, and who is told."""

"""One file per row of the table: each starts whom it needs, measures in rounds, and returns plain figures."""

"""The hooks of the store: bodies, wire forms, sending, and the record of the truth."""

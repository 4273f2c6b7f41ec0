"""The rehearsal: recorded hooks run twice, as things are and with a change, and what would be sent is compared."""

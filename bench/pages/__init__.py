"""How long pages and API answers take on a large ledger, and what readers cost those who send hooks."""

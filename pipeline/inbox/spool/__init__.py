"""The spool: hooks on local disk while Redis is unavailable, in one SQLite file for each web process.

`directory` holds the spools of a process: its own, and those it adopted from processes that have died. `queue` is one
spool, a queue of hooks. `file` is its SQLite file, and `recovery` what happens to a damaged one.
"""

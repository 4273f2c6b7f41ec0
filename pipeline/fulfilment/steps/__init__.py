"""The steps of the fulfilment: each reads, decides by the rules, commits, calls, and commits what it has seen."""

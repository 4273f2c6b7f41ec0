"""How the store tells of a happening: the body, its form on the wire, the posting, and the record of the truth."""

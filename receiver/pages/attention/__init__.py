"""The page of what needs a person: each item with the button that mends it."""

"""The flow of the user's stores: of what was received, how much is where."""

"""The hooks registered at Cratejoy: which should be there, which are, and mending the difference."""

"""The whole thing in small, for somebody who has just cloned it. See `cratewire demo`."""

"""The links of the chain, each from a batch to a batch. `tasks.hooks` gives them their turns."""

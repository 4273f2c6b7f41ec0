"""The links of the chain, each a function from a batch to a batch. `tasks.hooks` runs them."""

"""The partitions of the inbox, as far as all layers know them: `pipeline.inbox.partitions` says which hook is where."""

MAX_PARTITIONS = 64

"""A graph beyond a server's limits, cut into shards: archives that are each valid alone."""

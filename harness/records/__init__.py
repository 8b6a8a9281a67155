"""Records of scores: the store, snapshots, ranks, comparisons, the table of the paper."""

"""The public way to talk to a node: keys, transactions, reads, and proofs checked offline."""

"""Documents: commitments to papers, and the registry that stops double financing."""

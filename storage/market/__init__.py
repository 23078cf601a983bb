"""Market analysis: what it reads, and its results by version."""

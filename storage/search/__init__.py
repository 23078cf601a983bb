"""Search queries, and the kept answers."""

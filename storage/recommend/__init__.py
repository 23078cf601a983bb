"""Shelves, and the counts that they are computed from."""

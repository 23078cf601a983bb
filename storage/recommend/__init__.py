"""Shelves, and what they are counted from."""

"""Flagged shoppers."""

"""Ranked shelves out."""

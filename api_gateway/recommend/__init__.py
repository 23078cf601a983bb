"""Serve ranked shelves."""

"""Erasure and export of what is kept of a person."""

"""Experiments: their list, and their reports."""

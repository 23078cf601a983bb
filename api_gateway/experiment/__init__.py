"""Experiments: which there are, and what came of them."""

"""Flagged shoppers: who they are, and what operators say of them."""

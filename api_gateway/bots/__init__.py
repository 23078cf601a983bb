"""Bots: list the flagged shoppers, flag and clear them."""

"""Recommending: due shoppers and items to ranked rows, in padded, jitted batches."""

"""Recommendation: turns due shoppers and items into ranked rows, in padded, jitted batches."""

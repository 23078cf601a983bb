"""Bots: detected by their behaviour, flagged and cleared, and removed from what other shoppers see."""

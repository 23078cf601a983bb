"""Upkeep: what was lost is made good, and what is old is dropped."""

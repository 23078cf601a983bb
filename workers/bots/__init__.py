"""Actors: found by their behaviour, flagged and cleared, and what they moved made good."""

"""Experiments: who is in which arm, what came of it, and when a canary is rolled back."""

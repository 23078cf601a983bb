"""Figures of rankings, and the baselines."""

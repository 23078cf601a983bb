"""Figures of rankings, and the baselines that a model has to beat."""

"""Evaluation of the pricing policy in simulated shops."""

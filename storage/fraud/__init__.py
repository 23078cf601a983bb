"""Orders, their labels and decisions, and the rules."""
